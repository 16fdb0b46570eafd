// Owns what a person does to rows: moving among them, editing in place, deleting with a while to
// undo. Knows the list by its public side and no socket: what was done goes out through `on`.
// Comes after the first messages: nobody needs it before the line is there.

import { Actions } from "./actions.js";
import { neighbour } from "./chunks.js";
import { grow, meansSend } from "./composer.js";
import { copyFrom } from "./dialogs.js";
import { clone } from "./dom.js";
import { Folding } from "./folding.js";
import { Unfinished } from "./unfinished.js";

const UNDO = 6_000; // ms
const COPIED = 2_000; // ms
const MINE = ".mine[data-id]:not(.damaged, .deleted)";

export class Editor {
  #leaving = new Map(); // row -> timer: deleted, may still be undone

  /** `on`: edit, remove, again, take, discard, give, leave, tell. */
  constructor({ timeline, limit, say, kept, on }) {
    Object.assign(this, { timeline, limit, say, on });
    this.unfinished = new Unfinished(kept);
    this.folding = new Folding(timeline);
    this.actions = new Actions({ timeline, say, tell: on.tell, act: (button, row) => this.#act(button, row) });
    timeline.log.addEventListener("keydown", (event) => this.#key(event));
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

  clicked({ target }) {
    const button = target.closest("button");
    const row = target.closest(".msg");
    if (button && row) this.#act(button, row);
  }

  #act(button, row) {
    const { actions } = this;
    const { id, ...message } = this.timeline.message(row);
    const { cid } = this.timeline.waiting.changes.of(id) ?? message; // of what waits, or failed
    const acts = {
      edit: () => (actions.close(), this.#edit(row)),
      delete: () => (actions.close(), this.#delete(row)),
      more: () => actions.open(row),
      "copy-text": () => actions.copy(button, row, "text"),
      "copy-link": () => actions.copy(button, row, "link"),
      undo: () => this.#undo(row),
      cancel: () => this.#close(row),
      again: () => this.on.again(cid),
      take: () => this.on.take(cid),
      discard: () => this.on.discard(cid),
      copy: () => this.#copy(button),
      unfold: () => this.folding.toggle(row, button.closest(".code") ?? button.previousElementSibling),
    };
    Object.entries(acts).find(([name]) => button.classList.contains(name))?.[1]();
  }

  #key(event) {
    const row = event.target;
    if (!row.matches(".msg") || event.ctrlKey || event.metaKey || event.altKey) return;
    const { timeline } = this;
    const moves = {
      ArrowUp: () => neighbour(row, "previous")?.focus(),
      ArrowDown: () => neighbour(row, "next")?.focus(),
      Home: () => timeline.chunks.first.focus(),
      End: () => timeline.toEnd().then(() => timeline.chunks.last.focus()),
      Escape: () => this.on.leave(),
      ...(row.matches(MINE) && { e: () => this.#edit(row), Delete: () => this.#delete(row) }),
    };
    const move = moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (!move) return;
    event.preventDefault();
    move();
  }

  /** Opens the last own message. False if there is none. */
  editLast() {
    let row = this.timeline.lastSent;
    while (row && !row.matches(MINE)) row = neighbour(row, "previous");
    if (row) this.#edit(row);
    return Boolean(row);
  }

  #edit(row) {
    if (!row.querySelector(".editor")) this.#open(row).focus();
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
    area.addEventListener("input", () => {
      if (area.value === this.timeline.message(row).text) this.unfinished.remove(id);
      else this.unfinished.keep(id, area.value);
      area.setCustomValidity("");
      grow(area);
    });
    area.addEventListener("keydown", (event) => {
      if (meansSend(event)) editor.requestSubmit();
      else if (event.key === "Escape" && !event.isComposing) this.#close(row);
      else return;
      event.preventDefault();
    });
    editor.addEventListener("submit", (event) => {
      event.preventDefault();
      const left = this.limit - [...area.value].length;
      area.setCustomValidity(left < 0 ? this.say("composer.over", { n: left }) : "");
      if (area.reportValidity() && area.value.trim() !== "") this.#save(row, area.value);
    });
    editor.noValidate = true;
    return editor;
  }

  #save(row, text) {
    const message = this.timeline.message(row);
    if (text !== message.text) this.on.edit(message.id, text);
    this.#close(row);
  }

  #close(row) {
    this.unfinished.remove(this.timeline.message(row).id);
    this.timeline.scroll.hold(() => {
      row.querySelector(".editor").remove();
      row.querySelector(".body").hidden = false;
    });
    row.focus({ preventScroll: true });
  }

  #delete(row) {
    const line = clone("deleted");
    this.timeline.scroll.hold(() => {
      row.classList.add("deleted");
      row.append(line);
    });
    line.querySelector(".undo").focus({ preventScroll: true });
    this.on.tell(this.say("message.deleted"));
    this.#leaving.set(row, setTimeout(() => this.#leave(row), UNDO));
  }

  #undo(row) {
    clearTimeout(this.#leaving.get(row));
    this.#leaving.delete(row);
    this.timeline.scroll.hold(() => {
      row.querySelector(".st").remove();
      this.timeline.paint(row);
    });
    row.focus({ preventScroll: true });
  }

  #leave(row) {
    clearTimeout(this.#leaving.get(row));
    this.#leaving.delete(row);
    if (!row.isConnected) return; // gone already: deleted in another tab, or from another life
    const undo = row.querySelector(".undo");
    if (undo === document.activeElement) (neighbour(row, "next") ?? neighbour(row, "previous"))?.focus();
    undo?.remove();
    this.on.remove(this.timeline.message(row).id);
  }

  /** Carries out the deletions that could still be undone: the page goes. */
  settle() {
    for (const row of [...this.#leaving.keys()]) this.#leave(row);
  }

  async #copy(button) {
    const old = button.textContent;
    const done = await copyFrom(button.parentElement, button.parentElement.querySelector("pre").textContent);
    if (done) button.textContent = this.say("text.copied");
    setTimeout(() => (button.textContent = old), COPIED);
  }
}
