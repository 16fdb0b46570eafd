// Owns the room's topic: the line under its name, the form it is changed in, and the quiet line in
// the list when somebody changes it. Comes after the first messages.

import { clone } from "./dom.js";
import { addNote } from "./notes.js";

const WARN_FROM = 0.9; // of the limit

/** A topic as the server keeps it. */
const oneLine = (text) => text.trim().replace(/\s+/g, " ");

export class Topic {
  #typed; // what was not taken, for the next try

  /** `model` knows the topic, `outbox` my change to it; `online()`: is the line up. */
  constructor({ model, outbox, online, timeline, announcer, you, room, say, limit }) {
    Object.assign(this, { model, outbox, online, timeline, announcer, you, room, say, limit });
    this.place = document.querySelector(".tt");
    this.button = this.place.querySelector(".retopic");
    this.button.addEventListener("click", () => this.#open());
    this.show();
  }

  /** As the room has it, or as I have changed it. */
  show() {
    const { change } = this;
    const topic = this.#after(change);
    const find = (selector) => this.place.querySelector(selector);
    find(".about").hidden = topic === "";
    find(".topic").textContent = find(".topic").title = topic;
    this.button.ariaLabel = this.say(topic === "" ? "topic.set" : "topic.change");
    this.button.title = topic || this.button.ariaLabel;
    const fate = change?.failed ? "topic.failed" : change && !change.done && !this.online() ? "message.waiting" : "";
    const mark = find(".fate");
    mark.hidden = fate === "";
    mark.textContent = fate && this.say(fate);
    mark.classList.toggle("failed", Boolean(change?.failed));
  }

  /** My newest change that is not shown by the room itself. */
  get change() {
    return this.outbox.entries.findLast(({ command }) => command === "room");
  }

  get topic() {
    return this.#after(this.change);
  }

  #after(change) {
    return String(change?.fields.topic ?? this.model.settings?.topic ?? "");
  }

  /** The room has another topic; who was there when it got it is told. */
  changed({ rev, topic, by, live }) {
    this.show();
    if (!live || this.model.settings?.rev !== rev) return;
    const key = topic === "" ? "topic.removed" : "topic.was_set";
    const sentence = (name) => this.say(key, { name, topic });
    const mine = by === this.you.name;
    addNote(this.timeline, "edit", mine ? this.say("you") : by, sentence);
    if (!mine) this.announcer.say(sentence(by));
  }

  /** It will not be done; the line says again what it said before. */
  refused(topic) {
    if (topic !== undefined) this.#typed = topic;
    this.show();
  }

  // --- in place

  #open() {
    const form = clone("topic");
    const input = form.querySelector("input");
    input.value = this.#typed ?? this.topic;
    input.addEventListener("input", () => this.#measure(form));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#save(form);
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.#cancel(form);
    });
    form.querySelector(".cancel").addEventListener("click", () => this.#cancel(form));
    this.place.append(form);
    this.#measure(form);
    input.focus();
  }

  #measure(form) {
    const left = this.limit - [...oneLine(form.querySelector("input").value)].length;
    const over = left < 0;
    const count = form.querySelector(".count");
    count.hidden = left > this.limit * (1 - WARN_FROM);
    count.textContent = this.say(over ? "composer.over" : "composer.left", { n: left });
    count.classList.toggle("over", over);
    form.querySelector(".go").ariaDisabled = over ? "true" : null;
    form.querySelector("input").ariaInvalid = over ? "true" : null;
  }

  #save(form) {
    if (form.querySelector(".go").ariaDisabled) return;
    const topic = oneLine(form.querySelector("input").value);
    this.#giveUp();
    if (topic !== this.topic) this.outbox.add("room", { topic });
    this.#close(form);
  }

  #cancel(form) {
    this.#giveUp();
    this.#close(form);
  }

  /** What failed is tried again as new, or not at all. */
  #giveUp() {
    this.#typed = undefined;
    if (this.change?.failed) this.outbox.discard(this.change.cid);
  }

  #close(form) {
    form.remove();
    this.button.focus();
    this.show();
  }
}
