// Owns the rows of the log: which message each shows, their order, grouping, days and lines between
// them. Knows no socket and no storage: what happened comes in through apply() and pend(). Which
// part of the log is loaded is history.js, what a person does to a row is editor.js.

import { Chunks, neighbour, rowsOf } from "./chunks.js";
import { clone, element } from "./dom.js";
import { History } from "./history.js";
import { allowStops, fillRow, groupRow, markDay, nameDay, readRow, showChange, statusLine } from "./row.js";
import { Scroll } from "./scroll.js";
import { toggleFold } from "./text.js";

const MOST = 10_000; // rows held
const SPARE = 500; // rows dropped at once beyond that: each time everything is laid out anew
const TINTED = 1_200; // ms a message that was looked for is tinted
const TICK = 1_000; // ms between two looks at a countdown

export class Timeline {
  #messages = new WeakMap(); // row -> message
  #rows = new Map(); // id -> row
  #waiting = new Map(); // cid -> row
  #changes = new Map(); // id -> {command, fields, state}: my own change on its way
  #current = null; // the one row that is a tab stop
  #ticking = 0;

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
    this.history = new History({ timeline: this, say, title, start, load, replaced });
    this.#adopt();
    this.#rollDays();
    log.addEventListener("focusin", ({ target }) => {
      // Not for a link within: the stop would jump behind a person who goes through with Tab.
      if (target.matches(".msg") && target !== this.#current) this.#makeCurrent(target);
    });
    log.addEventListener("scroll", ({ target }) => this.#revealed(target), { capture: true, passive: true });
  }

  /** The id of the newest message, 0 without one. */
  get newest() {
    return this.#messages.get(this.lastSent)?.id ?? 0;
  }

  /** The id of the oldest message. */
  get oldest() {
    return this.#messages.get(this.first)?.id ?? 0;
  }

  get messages() {
    return [...this.#rows.values()].map((row) => this.#messages.get(row));
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
    this.#tidy();
    this.moved();
  }

  /** Shows messages that stand before what is loaded. */
  prepend(messages) {
    const fresh = messages.filter(({ id }) => !this.#rows.has(id));
    const old = this.first;
    this.scroll.holdWhile(() => {
      const rows = fresh.map(() => clone("message"));
      const chunks = this.chunks.prepend(rows);
      rows.forEach((row, n) => this.#set(row, fresh[n]));
      [...rows, old].forEach((row) => this.#regroup(row));
      return chunks;
    });
    this.#trim();
    this.#tidy();
    this.moved();
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

  clear() {
    this.col.querySelectorAll(".editor").forEach((editor) => this.leaves(editor.closest(".msg")));
    this.chunks.clear();
    this.#rows.clear();
    this.#waiting.clear();
    this.#current = null;
    this.#tidy();
  }

  /** Forgets every message: what is shown comes from another life of the server. */
  restart() {
    this.history.restart();
    this.clear();
  }

  /** Level with the room: what is not here does not exist, or is elsewhere in the log. */
  caughtUp() {
    this.history.caughtUp();
    this.#tidy();
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

  /** Puts "New" before the message `id`, if it is loaded, and nowhere else. */
  divide(id) {
    const row = this.#rows.get(id);
    const old = document.getElementById("unread");
    if (old ? old.nextElementSibling === row : !row) return;
    this.scroll.hold(() => {
      const after = old?.nextElementSibling;
      old?.remove();
      this.#regroup(after);
      if (!row) return;
      const divider = element("div", element("span", this.say("log.new")));
      Object.assign(divider, { id: "unread", className: "unread", role: "separator" });
      divider.setAttribute("aria-label", this.say("log.new_label"));
      row.before(divider);
      this.#regroup(row);
    });
  }

  /** To the newest message, loaded or not. */
  async toEnd() {
    if (!this.history.present) await this.history.latest();
    this.scroll.toEnd();
  }

  /** Shows a message at a quarter of the height, loaded or not; false if it does not exist. */
  async show(id) {
    if (!this.#rows.has(id) && !(await this.history.around(id))) return false;
    const row = this.#rows.get(id);
    this.scroll.readFrom(row);
    this.#makeCurrent(row);
    row.classList.add("reached");
    setTimeout(() => row.classList.remove("reached"), TINTED);
    return true;
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

  /** Is there a place for this message, or one that it leaves? Else a page will bring it. */
  #concerns({ id, cid }) {
    return this.#rows.has(id) || this.#waiting.has(cid) || this.history.covers(id);
  }

  #put(message) {
    const known = this.#rows.get(message.id);
    const waiting = this.#waiting.get(message.cid);
    if (message.deleted) return known && this.#drop(known);
    if (known) {
      if (this.#messages.get(known).rev > message.rev) return; // a page that is older than the line
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
    this.#regroup(row);
    this.#regroup(neighbour(row, "next"));
  }

  /** My own message came back: the row gets its id, and the place the server gave it. */
  #arrive(row, message) {
    if (!this.history.covers(message.id)) return this.#drop(row); // it is where the list goes on
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
    this.empty.hidden = any || !this.history.start;
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

  /** Beyond what may be held, chunks at the far end go, many at once; never one somebody is in. */
  #trim() {
    if (this.#rows.size <= MOST) return;
    // Only the ends are looked at: other questions to a selection lay out every skipped chunk.
    const { anchorNode, focusNode } = getSelection();
    if (anchorNode !== focusNode) return;
    const uses = [document.activeElement, anchorNode, ...this.#waiting.values()];
    const lower = this.scroll.upper;
    const far = lower ? this.chunks.all.reverse() : this.chunks.all;
    const gone = [];
    for (const chunk of far) {
      const inUse = chunk.querySelector(".editor, .undo") || uses.some((node) => chunk.contains(node));
      if (inUse || this.#rows.size <= MOST - SPARE) break;
      for (const row of rowsOf(chunk)) this.#rows.delete(this.#messages.get(row).id);
      gone.push(chunk);
    }
    if (gone.length === 0) return;
    this.scroll.lighten(() => gone.forEach((chunk) => chunk.remove()));
    if (lower) return this.history.away();
    this.#regroup(this.first);
    this.history.earlier.offer();
  }

  // --- the beginning: what the server rendered, and what came before it

  #adopt() {
    this.col.querySelectorAll(".day").forEach((row) => row.remove());
    for (const row of this.col.querySelectorAll(".msg")) {
      this.#set(row, readRow(row, this.you));
      this.#regroup(row);
    }
    this.#tidy();
    this.scroll.toEnd();
  }

  async #fillGap(gap) {
    const button = gap.firstElementChild;
    button.disabled = true;
    try {
      await this.history.changes(Number(gap.dataset.from), Number(gap.dataset.to));
      const after = gap.nextElementSibling;
      this.scroll.hold(() => gap.remove());
      this.#regroup(after);
    } catch {
      button.textContent = this.say("log.failed");
      button.disabled = false;
    }
  }
}
