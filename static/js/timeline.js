// Owns the rows of the log: which message each shows, their order, grouping, days and the "New"
// divider, and history as it is loaded. Knows no socket and no storage: what happened comes in
// through apply() and pend(). What a person does to a row is editor.js.

import { Chunks, neighbour, rowsOf } from "./chunks.js";
import { clone, element } from "./dom.js";
import { Earlier } from "./history.js";
import { allowStops, fillRow, groupRow, markDay, nameDay, readRow, showChange, statusLine } from "./row.js";
import { Scroll } from "./scroll.js";
import { toggleFold } from "./text.js";

const PAGE = 50; // rows of history loaded at once
const MOST = 10_000; // rows held
const SPARE = 500; // rows dropped at once beyond that: each time everything is laid out anew
const TICK = 1_000; // ms between two looks at a countdown

export class Timeline {
  #messages = new WeakMap(); // row -> message
  #rows = new Map(); // id -> row
  #waiting = new Map(); // cid -> row
  #changes = new Map(); // id -> {command, fields, state}: my own change on its way
  #current = null; // the one row that is a tab stop
  #ticking = 0;

  /**
   * `load(query)` gives a page of history; `stuck()` is called when the end is reached or left,
   * `leaves(row)` before a row goes in which somebody may be writing.
   */
  constructor({ log, you, title, language, say, start, load, stuck, leaves }) {
    Object.assign(this, { log, you, title, language, say, load, leaves });
    this.col = log.firstElementChild;
    this.empty = this.col.querySelector(".empty");
    this.scroll = new Scroll(log, stuck);
    this.chunks = new Chunks(this.empty, this.scroll);
    const place = this.col.querySelector(".edge");
    this.earlier = new Earlier({ log, place, say, start, load: () => this.#loadEarlier() });
    this.#adopt();
    this.#rollDays();
    log.addEventListener("focusin", ({ target }) => {
      // Not for a link within: the stop would jump behind a person who goes through with Tab.
      if (target.matches(".msg") && target !== this.#current) this.#makeCurrent(target);
    });
    log.addEventListener("scroll", ({ target }) => this.#revealed(target), { capture: true, passive: true });
  }

  /** The id of the newest message. */
  get newest() {
    const row = this.lastSent;
    return row ? this.#messages.get(row).id : 0;
  }

  get lastSent() {
    return this.#before(Infinity);
  }

  get first() {
    return this.chunks.first;
  }

  get last() {
    return this.chunks.last;
  }

  /** What a row shows: the message with my own change to it. */
  message(row) {
    const message = this.#messages.get(row);
    return { ...message, ...this.#changes.get(message.id)?.fields };
  }

  row(id) {
    return this.#rows.get(id);
  }

  /** My own messages as the server has them. */
  get mine() {
    const all = [...this.#rows.values()].map((row) => this.#messages.get(row));
    return all.filter(({ user }) => user === this.you.user);
  }

  /** Messages of others after `id`, oldest first. */
  unseen(id) {
    const found = [];
    for (let row = this.lastSent; row; row = neighbour(row, "previous")) {
      const message = this.#messages.get(row);
      if (message.id <= id) break;
      if (message.user !== this.you.user) found.push(message);
    }
    return found.reverse();
  }

  /** Takes in messages as they are now: new, edited or deleted ones. */
  apply(messages) {
    this.scroll.hold(() => messages.forEach((message) => this.#put(message)));
    this.#trim();
    this.#tidy();
  }

  /** Shows what waits in the outbox: messages at the end, changes in their rows. */
  pend(entries, online) {
    const said = entries.filter(({ command }) => command === "say");
    const cids = new Set(said.map(({ cid }) => cid));
    this.scroll.hold(() => {
      for (const [cid, row] of this.#waiting) if (!cids.has(cid)) this.#drop(row);
      for (const entry of said) this.#showWaiting(entry, online);
      this.#showChanges(entries.filter(({ command }) => command !== "say"), online);
    });
    this.#tidy();
    clearTimeout(this.#ticking);
    if (entries.some(({ retryAt }) => retryAt > Date.now())) {
      this.#ticking = setTimeout(() => this.pend(entries, online), TICK);
    }
  }

  /** Forgets every message: what is shown comes from another life of the server. */
  clear() {
    this.col.querySelectorAll(".editor").forEach((editor) => this.leaves(editor.closest(".msg")));
    this.chunks.clear();
    this.#rows.clear();
    this.#waiting.clear();
    this.#current = null;
    this.earlier.offer();
    this.#tidy();
  }

  /** Level with the room: what is not here does not exist, or is older. */
  caughtUp() {
    if (!this.first && !this.earlier.start) this.#begin();
    this.earlier.watch();
  }

  /** A row in place of changes that were too many to send. */
  gap({ from, to, count }) {
    const button = element("button", this.say("log.gap", { n: count }));
    button.className = "lk";
    const gap = element("div", button);
    gap.className = "gap";
    Object.assign(gap.dataset, { from, to });
    button.addEventListener("click", () => this.#fillGap(gap));
    if (this.lastSent) this.lastSent.after(gap);
    else this.chunks.append(gap);
  }

  /** A quiet line after the newest message, which no message belongs to. */
  note(text) {
    const note = element("p", text);
    note.className = "note";
    note.dataset.to = this.newest; // what comes next has its place below
    this.scroll.hold(() => this.chunks.append(note));
  }

  /** Puts "New" before the first message of others after `id`; without one, takes it away. */
  divide(id = Infinity) {
    this.scroll.hold(() => {
      const old = this.col.querySelector(".unread");
      const after = old?.nextElementSibling;
      old?.remove();
      this.#regroup(after);
      const [first] = this.unseen(id);
      if (!first) return;
      const divider = element("div", element("span", this.say("log.new")));
      Object.assign(divider, { id: "unread", className: "unread", role: "separator" });
      divider.setAttribute("aria-label", this.say("log.new_label"));
      const row = this.#rows.get(first.id);
      row.before(divider);
      this.#regroup(row);
    });
    const divider = this.col.querySelector(".unread");
    if (divider && this.scroll.isAbove(divider)) this.scroll.readFrom(divider);
  }

  /** Shows all of a long part of a row, or its beginning again; the row stays where it is. */
  fold(row, part) {
    this.scroll.hold(() => toggleFold(part), row);
    if (!part.matches(".open")) row.scrollIntoView({ block: "nearest" });
  }

  /** What is found or focused in a folded part scrolls it: then it is wanted. */
  #revealed(box) {
    const part = box.closest?.(".fold:not(.open)");
    if (!part || box.scrollTop === 0) return;
    const by = box.scrollTop;
    this.fold(part.closest(".msg"), part);
    this.log.scrollTop += by; // what was brought into sight stays there
  }

  // --- where a row belongs

  #put(message) {
    const known = this.#rows.get(message.id);
    const waiting = this.#waiting.get(message.cid);
    if (message.deleted) return known && this.#drop(known);
    if (known) {
      this.#messages.set(known, message);
      this.paint(known);
    } else if (waiting) {
      this.#arrive(waiting, message);
    } else if (this.earlier.start || !this.first || message.id > this.#messages.get(this.first).id) {
      this.#insert(clone("message"), message); // older than what is loaded: history will bring it
    }
  }

  #insert(row, message) {
    this.chunks.place(row, this.#before(message.id), message.id);
    this.#settleIn(row, message);
  }

  #settleIn(row, message) {
    this.#messages.set(row, message);
    this.#rows.set(message.id, row);
    this.paint(row);
    this.#regroup(row);
    this.#regroup(neighbour(row, "next"));
  }

  /** My own message came back: the row gets its id, and the place the server gave it. */
  #arrive(row, message) {
    this.#waiting.delete(message.cid);
    if (this.#before(message.id) === neighbour(row, "previous")) return this.#settleIn(row, message);
    const next = neighbour(row, "next");
    this.#insert(row, message);
    this.#regroup(next);
  }

  #showWaiting(entry, online) {
    let row = this.#waiting.get(entry.cid);
    if (!row) {
      row = clone("message");
      const { user, name, color } = this.you;
      this.#messages.set(row, { cid: entry.cid, ...entry.fields, at: entry.at, user, name, color });
      this.#waiting.set(entry.cid, row);
      this.chunks.place(row, this.last, Infinity);
      this.paint(row);
      this.#regroup(row);
    }
    row.dataset.state = entry.failed ? "failed" : online ? "pending" : "queued";
    row.querySelector(".st")?.remove();
    const status = statusLine(row.dataset.state, entry, this.say);
    status.id = `${row.id}s`; // part of the row's name
    row.append(status);
  }

  #showChanges(entries, online) {
    const state = online ? "pending" : "queued";
    const old = this.#changes;
    this.#changes = new Map(entries.map((entry) => [entry.fields.id, { ...entry, state }]));
    for (const id of new Set([...old.keys(), ...this.#changes.keys()])) {
      const [was, is] = [old.get(id), this.#changes.get(id)];
      const row = this.#rows.get(id);
      if (row && (was?.cid !== is?.cid || was?.state !== is?.state)) this.paint(row);
    }
  }

  /** The sent row that `id` comes after, looked for from the end: most messages are new. */
  #before(id) {
    let row = this.last;
    while (row && !(this.#messages.get(row).id < id)) row = neighbour(row, "previous");
    return row;
  }

  // --- how a row looks among its neighbours

  /** Shows a message as it is, or as I have changed it. */
  paint(row) {
    if (row.querySelector(":scope > .st .undo")) return; // deleted, and still to be undone
    const message = this.message(row);
    fillRow(row, message, message.user === this.you.user, this.say);
    const change = this.#changes.get(message.id);
    if (change) showChange(row, change);
  }

  /** A row is the first of its group unless the one before continues without a break. */
  #regroup(row) {
    if (!row?.matches?.(".msg")) return;
    const previous = neighbour(row, "previous");
    groupRow(row, this.#messages.get(row), previous && this.#messages.get(previous), this);
  }

  #rollDays() {
    const midnight = new Date();
    midnight.setHours(24, 0, 1, 0);
    setTimeout(() => {
      this.col.querySelectorAll(".day").forEach((row) => nameDay(row, this.language));
      this.#rollDays();
    }, midnight - Date.now());
  }

  #drop(row) {
    const { id, cid } = this.#messages.get(row);
    if (row.querySelector(".editor")) this.leaves(row);
    const next = neighbour(row, "next");
    const heir = next ?? neighbour(row, "previous");
    if (row.contains(document.activeElement)) heir?.focus();
    if (this.#current === row) this.#makeCurrent(heir);
    this.#rows.delete(id);
    if (this.#waiting.get(cid) === row) this.#waiting.delete(cid);
    markDay(row, null);
    const divider = row.previousElementSibling;
    if (divider?.matches(".unread") && !row.nextElementSibling?.matches(".msg")) divider.remove();
    const chunk = row.parentElement;
    row.remove();
    if (!chunk.firstElementChild) chunk.remove();
    this.#regroup(next);
  }

  /** What depends on there being messages at all. */
  #tidy() {
    const any = this.#rows.size + this.#waiting.size > 0;
    this.empty.hidden = any || !this.earlier.start;
    if (!this.#current?.isConnected || (this.scroll.stuck && !this.log.contains(document.activeElement))) {
      this.#makeCurrent(this.last);
    }
  }

  #makeCurrent(row) {
    const before = this.#current;
    this.#current = row;
    for (const [changed, index] of [[before, -1], [row, 0]]) {
      if (!changed) continue;
      changed.tabIndex = index;
      allowStops(changed);
    }
  }

  /** Beyond what may be held, the oldest chunks go, many at once; never one somebody is in. */
  #trim() {
    if (this.#rows.size <= MOST || !this.scroll.stuck) return;
    // Only the ends are looked at: other questions to a selection lay out every skipped chunk.
    const { anchorNode, focusNode } = getSelection();
    if (anchorNode !== focusNode) return;
    const uses = [document.activeElement, anchorNode];
    const oldest = this.chunks.all;
    for (const chunk of oldest) {
      const inUse = chunk.querySelector(".editor, .undo") || uses.some((node) => chunk.contains(node));
      if (inUse || this.#rows.size <= MOST - SPARE) break;
      for (const row of rowsOf(chunk)) this.#rows.delete(this.#messages.get(row).id);
      chunk.remove();
    }
    if (oldest[0].isConnected) return;
    this.#regroup(this.first);
    this.earlier.offer();
  }

  // --- the beginning: what the server rendered, and what came before it

  #adopt() {
    this.col.querySelectorAll(".day").forEach((row) => row.remove());
    for (const row of this.col.querySelectorAll(".msg")) {
      const message = readRow(row, this.you);
      this.#messages.set(row, message);
      this.#rows.set(message.id, row);
      this.paint(row);
      this.#regroup(row);
    }
    this.#tidy();
    this.scroll.toEnd();
  }

  async #loadEarlier() {
    const oldest = this.first && this.#messages.get(this.first).id;
    if (!oldest) return true; // nothing at all yet: the connection brings the newest
    const { messages, more } = await this.load({ before: oldest, limit: PAGE });
    this.#prepend(messages);
    if (!more) this.#begin();
    return more;
  }

  #begin() {
    this.earlier.end(this.say("log.start", { room: this.title }));
    this.#tidy();
  }

  #prepend(messages) {
    const fresh = messages.filter(({ id, deleted }) => !deleted && !this.#rows.has(id));
    if (fresh.length === 0) return;
    const old = this.first;
    this.scroll.holdWhile(() => {
      const chunk = this.chunks.prepend(fresh.map(() => clone("message")));
      rowsOf(chunk).forEach((row, n) => {
        this.#messages.set(row, fresh[n]);
        this.#rows.set(fresh[n].id, row);
        this.paint(row);
        this.#regroup(row);
      });
      this.#regroup(old);
      return [chunk];
    });
  }

  async #fillGap(gap) {
    const button = gap.firstElementChild;
    button.disabled = true;
    try {
      for (let from = Number(gap.dataset.from); from < Number(gap.dataset.to); ) {
        const { messages } = await this.load({ since: from, limit: 200 });
        this.apply(messages);
        from = messages.at(-1)?.rev ?? Infinity;
        gap.dataset.from = from;
      }
      const after = gap.nextElementSibling;
      this.scroll.hold(() => gap.remove());
      this.#regroup(after);
    } catch {
      button.textContent = this.say("log.failed");
      button.disabled = false;
    }
  }
}
