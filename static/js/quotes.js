// Owns the quotes in rows: the message that one answers, in a line, as it is now. What is not known of
// it is asked for, all in one request. Comes after the first messages.

import { wordsOf } from "./attachments.js";
import { element } from "./dom.js";

const LINE = 200; // characters of a quote
const MOST = 100; // messages the server gives at once

/** A text in one line. */
export const lineOf = (text) => [...text.replace(/\s+/gu, " ").trim()].slice(0, LINE).join("");

export class Quotes {
  #answered = new Set(); // ids of messages that rows answer
  #gone = new Set(); // those of them that are no more
  #missing = new Set(); // those of which nothing is known
  #asking = false;
  #epoch = null; // in which ids mean what they mean here

  /** `load({ids})` gives a page as the model merged it; `changed()` is called when more is known. */
  constructor({ timeline, load, you, say, changed }) {
    Object.assign(this, { timeline, model: timeline.model, load, you, say, changed });
  }

  /** What is to be said of a message that is answered: {who, color, what}, of one that is no more {gone,
   *  what}; null until that is known. */
  of(id) {
    this.#begin();
    this.#answered.add(id);
    const message = this.model.message(id);
    if (!message && this.#gone.has(id)) return { gone: true, what: this.say("quote.gone") };
    if (!message) return this.#ask(id), null;
    const { user, name, color, damaged } = message;
    const who = user === this.you.user ? this.say("you") : name;
    return { who, color, damaged, what: damaged ? this.say("message.damaged") : lineOf(wordsOf(message, this.say)) };
  }

  /** Puts its quote into a row, or takes it out. */
  show(row, { reply }) {
    const old = row.querySelector(".quote");
    if (!reply) return old?.remove();
    row.dataset.reply = reply;
    const known = this.of(reply);
    if (!known && old) return; // as the server has rendered it
    const quote = this.#make(row, reply, known);
    if (old?.isEqualNode(quote)) return;
    if (old?.contains(document.activeElement)) row.focus({ preventScroll: true });
    old?.remove();
    row.querySelector(".said").prepend(quote);
  }

  /** Messages that are others now, or no more: so are the quotes of them. */
  heard(changed, gone) {
    const answered = (ids) => ids.filter((id) => this.#answered.has(id));
    for (const id of answered(gone)) this.#gone.add(id);
    this.#renew(answered([...changed, ...gone]));
  }

  /** Asks for what is missing: at once for all that is shown in one go, and again when the line is up. */
  async fetch() {
    if (this.#asking || this.#missing.size === 0) return;
    this.#asking = true;
    await null; // more rows are shown
    const ids = [...this.#missing].slice(0, MOST);
    const page = await this.load({ ids }).catch(() => null);
    this.#asking = false;
    if (!page) return; // the line is down, or all is loaded anew
    for (const id of ids) {
      this.#missing.delete(id);
      if (!this.model.message(id)) this.#gone.add(id);
    }
    this.#renew(ids);
    this.fetch();
  }

  #ask(id) {
    this.#missing.add(id);
    this.fetch();
  }

  #renew(ids) {
    const rows = ids.flatMap((id) => [...this.timeline.col.querySelectorAll(`.msg[data-reply="${id}"]`)]);
    for (const row of rows) this.show(row, this.timeline.message(row));
    if (ids.length > 0) this.changed();
  }

  /** In another history ids mean other messages. */
  #begin() {
    if (this.#epoch === this.model.epoch) return;
    this.#epoch = this.model.epoch;
    for (const ids of [this.#answered, this.#gone, this.#missing]) ids.clear();
  }

  #make(row, id, known) {
    const { who = "", color, what, gone, damaged } = known ?? { what: "…" };
    const quote = element(gone ? "span" : "a");
    quote.className = gone ? "quote gone" : `quote${known ? ` a${color}` : ""}${damaged ? " damaged" : ""}`;
    quote.id = `${row.id}q`; // part of the row's name
    if (gone) return Object.assign(quote, { dir: "auto", textContent: what });
    quote.href = `#m${id}`;
    quote.tabIndex = row.tabIndex; // as all stops within a row
    if (known) quote.ariaLabel = this.say("quote.label", { name: who, text: what });
    const parts = [[element("b", who), "who"], [element("span", what), "what"]];
    for (const [part, name] of parts) Object.assign(part, { className: name, dir: "auto" }); // of their own
    quote.append(parts[0][0], " ", parts[1][0]);
    return quote;
  }
}
