// Owns the rows of the log: which message each shows, their order and grouping. Knows no socket and
// no storage: what there is to show the model says, what is not yet sent waiting.js. More of the log
// comes through history.js.

import { Chunks, neighbour } from "./chunks.js";
import { clone } from "./dom.js";
import { History } from "./history.js";
import { fillRow, groupRow, keepFocus, readRow, removeRow, Stop } from "./row.js";
import { Scroll } from "./scroll.js";
import { Waiting } from "./waiting.js";

export class Timeline {
  #messages = new WeakMap(); // row -> message as it is shown
  #rows = new Map(); // id -> row

  /**
   * `log` is where the rows are, `model` the Log they show; `load(query)` gives a page of history;
   * `moved()` is called when other rows are shown or the end is reached or left, `replaced()` when
   * all rows are others, `leaves(row)` before a row goes in which somebody may be writing.
   */
  constructor({ log, model, you, language, say, start, load, moved, replaced, leaves }) {
    Object.assign(this, { log, model, you, language, say, moved, leaves });
    this.col = log.firstElementChild;
    this.empty = this.col.querySelector(".empty");
    this.scroll = new Scroll(log, moved);
    this.chunks = new Chunks(this.empty, this.scroll);
    this.waiting = new Waiting(this);
    this.stop = new Stop(log);
    this.history = new History({ timeline: this, model, load, replaced });
    this.#adopt(start);
  }

  /** The id of the newest message, 0 without one. */
  get newest() {
    return this.#messages.get(this.lastSent)?.id ?? 0;
  }

  /** The id of the oldest message. */
  get oldest() {
    return this.#messages.get(this.chunks.first)?.id ?? 0;
  }

  get lastSent() {
    return this.#before(Infinity);
  }

  /** What a row shows: the message with my own change to it. */
  message(row) {
    const message = this.#messages.get(row);
    return { ...message, ...this.waiting.changes?.of(message.id)?.fields };
  }

  row(id) {
    return this.#rows.get(id);
  }

  /** How many messages are shown. */
  get size() {
    return this.#rows.size;
  }

  /** These rows were taken away at the far end. */
  lose(rows) {
    for (const row of rows) this.#rows.delete(this.#messages.get(row).id);
    this.regroup(this.chunks.first);
  }

  /** Shows messages that are others now, and takes away what is no more; all by id. */
  update(changed, gone = []) {
    this.scroll.hold(() => {
      for (const row of gone.map((id) => this.#rows.get(id))) if (row) this.drop(row);
      for (const id of changed) this.#put(this.model.message(id));
    });
    this.history.edges?.trim();
    this.tidy();
    this.moved();
  }

  /** Shows messages that are loaded now, beside the others. */
  add(messages) {
    const old = this.chunks.first;
    const { oldest } = this;
    const before = messages.filter(({ id }) => !oldest || id < oldest);
    this.scroll.holdWhile(() => {
      const rows = before.map(() => clone("message"));
      const chunks = this.chunks.prepend(rows);
      rows.forEach((row, n) => this.#set(row, before[n]));
      [...rows, old].forEach((row) => this.regroup(row));
      return chunks;
    });
    this.update(messages.slice(before.length).map(({ id }) => id));
  }

  /** Shows these messages and no others; what is shown already stays in its place. */
  replace(messages) {
    if (!messages.some(({ id }) => this.#rows.has(id))) {
      this.clear();
      return this.add(messages);
    }
    const ids = messages.map(({ id }) => id);
    const loaded = new Set(ids);
    this.update(ids, [...this.#rows.keys()].filter((id) => !loaded.has(id)));
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

  /** A message as it is now, in its row; one without is shown if its place is among what is loaded. */
  #put(message) {
    if (!message) return; // it has come and gone
    const known = this.#rows.get(message.id);
    const waiting = this.waiting.row(message.cid) ?? this.waiting.row(message.said);
    if (known && this.#messages.get(known) === message) {
      this.dress?.(known, this.message(known)); // something about it is another
    } else if (known) {
      this.#messages.set(known, message);
      this.paint(known);
    } else if (waiting) {
      this.#arrive(waiting, message);
    } else if (this.model.covers(message.id)) {
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
    if (!this.model.covers(message.id)) return this.drop(row); // it is where the list goes on
    this.waiting.release(this.#messages.get(row).cid, row);
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
    keepFocus(row, () => {
      fillRow(row, message, this.you.user, this.say);
      this.waiting.changes?.paint(row, message.id);
      this.dress?.(row, message);
    });
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
    if (row.contains(document.activeElement)) heir?.focus({ preventScroll: true });
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

  // --- the beginning: what the server rendered, and what came before it

  #adopt(start) {
    this.col.querySelectorAll(".day").forEach((row) => row.remove());
    const rows = [...this.col.querySelectorAll(".msg")];
    const messages = rows.map((row) => readRow(row, this.you));
    this.model.begin(messages, start);
    rows.forEach((row, n) => this.#set(row, messages[n]));
    rows.forEach((row) => this.regroup(row));
    this.tidy();
    this.scroll.toEnd();
  }
}
