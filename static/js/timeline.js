// Owns the rows of the log: which message each shows, their order and grouping. Knows no socket and
// no storage: what happened comes in through apply(), what is not yet sent through waiting.js. Which
// part of the log is loaded is history.js, what a person does to a row is editor.js.

import { Chunks, neighbour, rowsOf } from "./chunks.js";
import { clone } from "./dom.js";
import { History, supersedes } from "./history.js";
import { fillRow, groupRow, readRow, removeRow, Stop } from "./row.js";
import { Scroll } from "./scroll.js";
import { showChange, Waiting } from "./waiting.js";

const MOST = 10_000; // rows held
const SPARE = 500; // rows dropped at once beyond that: each time everything is laid out anew

export class Timeline {
  #messages = new WeakMap(); // row -> message
  #rows = new Map(); // id -> row

  /**
   * `load(query)` gives a page of history; `moved()` is called when other rows are shown or the end
   * is reached or left, `replaced()` when all rows are others, `leaves(row)` before a row goes in
   * which somebody may be writing.
   */
  constructor({ log, you, title, language, say, start, load, moved, replaced, leaves }) {
    Object.assign(this, { log, you, language, say, moved, leaves });
    this.col = log.firstElementChild;
    this.empty = this.col.querySelector(".empty");
    this.scroll = new Scroll(log, moved);
    this.chunks = new Chunks(this.empty, this.scroll);
    this.waiting = new Waiting(this, say);
    this.stop = new Stop(log);
    this.history = new History({ timeline: this, say, title, start, load, replaced });
    this.#adopt();
  }

  /** The id of the newest message, 0 without one. */
  get newest() {
    return this.#messages.get(this.lastSent)?.id ?? 0;
  }

  /** The id of the oldest message. */
  get oldest() {
    return this.#messages.get(this.chunks.first)?.id ?? 0;
  }

  get messages() {
    return [...this.#rows.values()].map((row) => this.#messages.get(row));
  }

  get lastSent() {
    return this.#before(Infinity);
  }

  /** What a row shows: the message with my own change to it. */
  message(row) {
    const message = this.#messages.get(row);
    return { ...message, ...this.waiting.change(message.id)?.fields };
  }

  row(id) {
    return this.#rows.get(id);
  }

  /** My own messages as the server has them. */
  get mine() {
    return this.messages.filter(({ user }) => user === this.you.user);
  }

  /** Takes in what the line says: messages as they are now, new, edited or deleted ones. */
  apply(messages) {
    this.history.hear(messages);
    this.take(messages.filter((message) => this.#concerns(message)));
    this.#trim();
  }

  /** Shows messages that belong to what is loaded, or next to it. */
  take(messages) {
    this.scroll.hold(() => messages.forEach((message) => this.#put(message)));
    this.tidy();
    this.moved();
  }

  /** Shows messages that stand before what is loaded. */
  prepend(messages) {
    const fresh = messages.filter(({ id }) => !this.#rows.has(id));
    const old = this.chunks.first;
    this.scroll.holdWhile(() => {
      const rows = fresh.map(() => clone("message"));
      const chunks = this.chunks.prepend(rows);
      rows.forEach((row, n) => this.#set(row, fresh[n]));
      [...rows, old].forEach((row) => this.regroup(row));
      return chunks;
    });
    this.#trim();
    this.tidy();
    this.moved();
  }

  clear() {
    this.col.querySelectorAll(".editor").forEach((editor) => this.leaves(editor.closest(".msg")));
    this.chunks.clear();
    this.#rows.clear();
    this.waiting.clear();
    this.stop.set(null);
    this.tidy();
  }

  /** To the newest message, loaded or not. */
  async toEnd() {
    if (!this.history.present) await this.history.latest();
    this.scroll.toEnd();
  }

  /** A row at the end for a message that has no id yet. */
  append(message) {
    const row = clone("message");
    this.#messages.set(row, message);
    this.chunks.place(row, this.chunks.last, Infinity);
    this.paint(row);
    this.regroup(row);
    return row;
  }

  // --- where a row belongs

  /** Is there a place for this message, or one that it leaves? Else a page will bring it. */
  #concerns({ id, cid }) {
    return this.#rows.has(id) || this.waiting.row(cid) || this.history.covers(id);
  }

  #put(message) {
    const known = this.#rows.get(message.id);
    const waiting = this.waiting.row(message.cid);
    if (known && !supersedes(message, this.#messages.get(known))) return;
    if (message.deleted) return known && this.drop(known);
    if (known) {
      this.#messages.set(known, message);
      this.paint(known);
    } else if (waiting) {
      this.#arrive(waiting, message);
    } else {
      this.#insert(clone("message"), message);
    }
  }

  #insert(row, message) {
    this.chunks.place(row, this.#before(message.id), message.id);
    this.#settleIn(row, message);
  }

  #set(row, message) {
    this.#messages.set(row, message);
    this.#rows.set(message.id, row);
    this.paint(row);
  }

  #settleIn(row, message) {
    this.#set(row, message);
    this.regroup(row);
    this.regroup(neighbour(row, "next"));
  }

  /** My own message came back: the row gets its id, and the place the server gave it. */
  #arrive(row, message) {
    if (!this.history.covers(message.id)) return this.drop(row); // it is where the list goes on
    this.waiting.release(message.cid, row);
    if (this.#before(message.id) === neighbour(row, "previous")) return this.#settleIn(row, message);
    const next = neighbour(row, "next");
    this.#insert(row, message);
    this.regroup(next);
  }

  /** The sent row that `id` comes after, looked for from the end: most messages are new. */
  #before(id) {
    let row = this.chunks.last;
    while (row && !(this.#messages.get(row).id < id)) row = neighbour(row, "previous");
    return row;
  }

  // --- how a row looks among its neighbours

  /** Shows a message as it is, or as I have changed it. */
  paint(row) {
    if (row.querySelector(":scope > .st .undo")) return; // deleted, and still to be undone
    const message = this.message(row);
    fillRow(row, message, message.user === this.you.user, this.say);
    const change = this.waiting.change(message.id);
    if (change) showChange(row, change);
  }

  /** A row is the first of its group unless the one before continues without a break. */
  regroup(row) {
    if (!row?.matches?.(".msg")) return;
    const previous = neighbour(row, "previous");
    groupRow(row, this.#messages.get(row), previous && this.#messages.get(previous), this);
  }

  drop(row) {
    const { id, cid } = this.#messages.get(row);
    if (row.querySelector(".editor")) this.leaves(row);
    const next = neighbour(row, "next");
    const heir = next ?? neighbour(row, "previous");
    if (row.contains(document.activeElement)) heir?.focus();
    if (this.stop.row === row) this.stop.set(heir);
    this.#rows.delete(id);
    this.waiting.release(cid, row);
    removeRow(row);
    this.regroup(next);
  }

  /** What depends on there being messages at all. */
  tidy() {
    const any = this.#rows.size + this.waiting.rows.length > 0;
    this.empty.hidden = any || !this.history.start;
    if (!this.stop.row?.isConnected || (this.scroll.stuck && !this.log.contains(document.activeElement))) {
      this.stop.set(this.chunks.last);
    }
  }

  /** Beyond what may be held, chunks at the far end go, many at once; never one somebody is in. */
  #trim() {
    if (this.#rows.size <= MOST) return;
    const { gone, lower } = this.chunks.lighten(this.#rows.size - MOST + SPARE, this.waiting.rows);
    for (const row of gone.flatMap(rowsOf)) this.#rows.delete(this.#messages.get(row).id);
    if (gone.length === 0) return;
    if (lower) return this.history.away();
    this.regroup(this.chunks.first);
    this.history.earlier.offer();
  }

  // --- the beginning: what the server rendered, and what came before it

  #adopt() {
    this.col.querySelectorAll(".day").forEach((row) => row.remove());
    for (const row of this.col.querySelectorAll(".msg")) {
      this.#set(row, readRow(row, this.you));
      this.regroup(row);
    }
    this.tidy();
    this.scroll.toEnd();
  }
}
