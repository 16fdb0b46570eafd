// Owns editing in place: the box in a row, what is in it when the page goes, and what becomes of it.
// Knows the list by its public side and no socket: what was done goes out through `on`.

import { neighbour } from "./chunks.js";
import { enterSends, grow, hintEnter, meansSend } from "./composer.js";
import { clone } from "./dom.js";
import { MINE, WRITES } from "./toolbar.js";
import { Unfinished } from "./unfinished.js";

export class Editor {
  /** `on`: edit, give. */
  constructor({ timeline, limit, say, kept, on }) {
    Object.assign(this, { timeline, limit, say, on });
    this.unfinished = new Unfinished(kept);
    this.#reopen();
  }

  /** Half an edit from before a reload; without its message, gone or not loaded, it is offered. */
  #reopen() {
    const rows = this.unfinished.ids.map((id) => this.timeline.row(id));
    const mine = rows.filter((row) => row?.matches(MINE));
    for (const row of mine) this.#open(row);
    const known = mine.map((row) => this.timeline.message(row).id);
    for (const text of this.unfinished.takeOrphans(known)) this.on.give(text);
  }

  /** Ids mean other messages now. */
  begin(epoch) {
    this.unfinished.epoch = epoch;
  }

  /** The row goes, with what is being written in it. */
  rescue(row) {
    const { id, text } = this.timeline.message(row);
    const { value } = row.querySelector(".editor textarea");
    this.unfinished.remove(id);
    if (value !== text) this.on.give(value);
  }

  /** Opens the last own message. False if there is none, or it may not be changed. */
  editLast() {
    let row = this.timeline.lastSent;
    while (row && !row.matches(MINE)) row = neighbour(row, "previous");
    if (!row?.matches(WRITES)) return false;
    this.edit(row);
    return true;
  }

  edit(row) {
    (row.querySelector(".editor textarea") ?? this.#open(row)).focus();
  }

  #open(row) {
    const editor = this.#box(row);
    this.timeline.scroll.hold(() => {
      row.querySelector(".body").hidden = true;
      row.querySelector(".body").after(editor);
    });
    const area = editor.querySelector("textarea");
    grow(area);
    return area;
  }

  #box(row) {
    const editor = clone("editor");
    const area = editor.querySelector("textarea");
    const { id, text } = this.timeline.message(row);
    area.value = this.unfinished.text(id) ?? text;
    hintEnter(area);
    if (!enterSends()) editor.querySelector(".hint").textContent = this.say("message.edit_keys_ctrl");
    area.addEventListener("input", () => {
      if (area.value === this.timeline.message(row).text) this.unfinished.remove(id);
      else this.unfinished.keep(id, area.value);
      area.setCustomValidity("");
      grow(area);
    });
    area.addEventListener("keydown", (event) => {
      if (meansSend(event)) editor.requestSubmit();
      else if (event.key === "Escape" && !event.isComposing) this.close(row);
      else return;
      event.preventDefault();
    });
    editor.addEventListener("submit", (event) => {
      event.preventDefault();
      const left = this.limit - [...area.value].length;
      area.setCustomValidity(left < 0 ? this.say("composer.over", { n: left }) : "");
      const says = area.value.trim() !== "" || this.timeline.message(row).files?.length;
      if (area.reportValidity() && says) this.#save(row, area.value);
    });
    editor.noValidate = true;
    return editor;
  }

  #save(row, text) {
    const message = this.timeline.message(row);
    if (text !== message.text) this.on.edit(message.id, text);
    this.close(row);
  }

  close(row) {
    this.unfinished.remove(this.timeline.message(row).id);
    this.timeline.scroll.hold(() => {
      row.querySelector(".editor").remove();
      row.querySelector(".body").hidden = false;
    });
    row.focus({ preventScroll: true });
  }
}
