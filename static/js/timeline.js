// Owns the rows of the log: their order, grouping, days and the "New" divider, and what is being
// done to them (edit, delete, undo). Knows no socket and no storage: what happened comes in
// through apply() and pend(), what a person does goes out through `on`.

import { grow, openEditor } from "./composer.js";
import { clone, dayName, dayOf, element, fillRow, readRow, statusLine } from "./format.js";
import { Earlier, Scroll } from "./scroll.js";

const CHUNK = 50; // rows drawn or skipped together
const MOST = 10_000; // rows held
const TOGETHER = 5 * 60_000; // ms between messages of one group
const UNDO = 6_000; // ms
const TICK = 1_000; // ms between two looks at a countdown

const rowsOf = (chunk) => [...chunk.children].filter((part) => part.matches(".msg"));

/** The row before ("previous") or after ("next"), across chunks. */
function neighbour(row, side) {
  const step = `${side}ElementSibling`;
  for (let node = row[step]; node; node = node[step]) if (node.matches(".msg")) return node;
  for (let chunk = row.parentElement[step]; chunk?.matches(".chunk"); chunk = chunk[step]) {
    const found = rowsOf(chunk).at(side === "next" ? 0 : -1);
    if (found) return found;
  }
  return null;
}

export class Timeline {
  #messages = new WeakMap(); // row -> message
  #rows = new Map(); // id -> row
  #waiting = new Map(); // cid -> row
  #leaving = new Map(); // row -> timer: deleted, may still be undone
  #current = null; // the one row that is a tab stop
  #ticking = 0;

  /** `load(query)` gives a page of history; `on`: edit, remove, again, take, discard, copy, leave, stuck. */
  constructor({ log, you, room, limit, language, say, start, load, on }) {
    Object.assign(this, { log, you, room, limit, language, say, load, on });
    this.col = log.firstElementChild;
    this.empty = this.col.querySelector(".empty");
    this.scroll = new Scroll(log, on.stuck);
    const place = this.col.querySelector(".edge");
    this.earlier = new Earlier({ log, place, say, start, load: () => this.#loadEarlier() });
    this.#adopt();
    this.#listen();
    this.#rollDays();
  }

  get newest() {
    const row = this.#before(Infinity);
    return row ? this.#messages.get(row).id : 0;
  }

  get #first() {
    for (const chunk of this.#chunks) for (const row of rowsOf(chunk)) return row;
    return null;
  }

  get #last() {
    for (const chunk of this.#chunks.reverse()) for (const row of rowsOf(chunk).slice(-1)) return row;
    return null;
  }

  get #chunks() {
    return [...this.col.children].filter((part) => part.matches(".chunk"));
  }

  /** My own cids among what the server has rendered: they are stored. */
  get confirmed() {
    return [...this.#rows.values()].map((row) => this.#messages.get(row).cid).filter(Boolean);
  }

  /** Messages of others after `id`, oldest first. */
  unseen(id) {
    const found = [];
    for (let row = this.#before(Infinity); row; row = neighbour(row, "previous")) {
      const message = this.#messages.get(row);
      if (message.id <= id) break;
      if (message.user !== this.you.user) found.unshift(message);
    }
    return found;
  }

  /** Takes in messages as they are now: new, edited or deleted ones. */
  apply(messages) {
    this.scroll.hold(() => messages.forEach((message) => this.#put(message)));
    this.#trim();
    this.#tidy();
  }

  /** Shows what waits in the outbox, at the end. */
  pend(entries, online) {
    const cids = new Set(entries.map(({ cid }) => cid));
    this.scroll.hold(() => {
      for (const [cid, row] of this.#waiting) if (!cids.has(cid)) this.#drop(row);
      for (const entry of entries) this.#showWaiting(entry, online);
    });
    this.#tidy();
    clearTimeout(this.#ticking);
    if (entries.some(({ retryAt }) => retryAt > Date.now())) {
      this.#ticking = setTimeout(() => this.pend(entries, online), TICK);
    }
  }

  /** Forgets every message: what is shown comes from another life of the server. */
  clear() {
    for (const chunk of this.#chunks) chunk.remove();
    this.#rows.clear();
    this.#waiting.clear();
    this.#current = null;
    this.earlier.offer();
    this.#tidy();
  }

  /** Level with the room: what is not here does not exist, or is older. */
  caughtUp() {
    if (!this.#first && !this.earlier.start) this.#begin();
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
    const last = this.#before(Infinity);
    if (last) last.after(gap);
    else this.#chunkAt(null).prepend(gap);
  }

  /** A quiet line after the newest message, which no message belongs to. */
  note(text) {
    const note = element("p", text);
    note.className = "note";
    note.dataset.to = this.newest; // what comes next has its place below
    this.scroll.hold(() => (this.#chunks.at(-1) ?? this.#chunkAt(null)).append(note));
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

  /** Opens the editor in the last own message. False if there is none. */
  editLast() {
    let row = this.#before(Infinity);
    while (row && !row.matches(".mine:not(.damaged)")) row = neighbour(row, "previous");
    if (row) this.#edit(row);
    return Boolean(row);
  }

  /** Shows a message as it was: the server refused its change. */
  revert(id) {
    const row = this.#rows.get(id);
    if (row) this.#paint(row);
  }

  /** Carries out the deletions that could still be undone: the page goes. */
  settle() {
    for (const row of [...this.#leaving.keys()]) this.#leave(row);
  }

  // --- where a row belongs

  #put(message) {
    const known = this.#rows.get(message.id);
    const waiting = this.#waiting.get(message.cid);
    if (message.deleted) return known && this.#drop(known);
    if (known) {
      this.#messages.set(known, message);
      if (!this.#leaving.has(known)) this.#paint(known);
    } else if (waiting) {
      this.#arrive(waiting, message);
    } else if (this.earlier.start || !this.#first || message.id > this.#messages.get(this.#first).id) {
      this.#insert(clone("message"), message); // older than what is loaded: history will bring it
    }
  }

  #insert(row, message) {
    this.#place(row, this.#before(message.id), message.id);
    this.#settleIn(row, message);
  }

  #settleIn(row, message) {
    this.#messages.set(row, message);
    this.#rows.set(message.id, row);
    this.#paint(row);
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
      this.#messages.set(row, { cid: entry.cid, text: entry.text, at: entry.at, user, name, color });
      this.#waiting.set(entry.cid, row);
      this.#place(row, this.#last, Infinity);
      this.#paint(row);
      this.#regroup(row);
    }
    row.dataset.state = entry.failed ? "failed" : online ? "pending" : "queued";
    row.querySelector(".st")?.remove();
    const status = statusLine(row.dataset.state, entry, this.say);
    if (status) row.append(status);
  }

  /** The sent row that `id` comes after, looked for from the end: most messages are new. */
  #before(id) {
    let row = this.#last;
    while (row && !(this.#messages.get(row).id < id)) row = neighbour(row, "previous");
    return row;
  }

  #place(row, previous, id) {
    const chunk = previous?.parentElement ?? this.#chunkAt(null);
    let after = previous;
    let gap = after ? after.nextElementSibling : chunk.firstElementChild;
    for (; Number(gap?.dataset.to) < id; gap = gap.nextElementSibling) after = gap;
    if (!after) return chunk.prepend(row);
    const full = rowsOf(chunk).length >= CHUNK;
    if (!full) after.after(row);
    else if (!after.nextElementSibling) this.#chunkAt(chunk).prepend(row);
    else {
      after.after(row);
      this.#split(chunk);
    }
  }

  /** The chunk after `chunk`, or the first one; made where there is none with room. */
  #chunkAt(chunk) {
    const next = chunk ? chunk.nextElementSibling : this.#chunks[0];
    if (next && rowsOf(next).length < CHUNK) return next;
    const made = element("div");
    made.className = "chunk";
    (chunk ?? this.empty).after(made);
    const settled = chunk?.previousElementSibling; // out of sight by now: skipping it shifts nothing
    if (settled?.matches(".chunk")) this.scroll.measure(settled);
    return made;
  }

  #split(chunk) {
    const half = rowsOf(chunk)[CHUNK / 2];
    const made = element("div");
    made.className = "chunk";
    chunk.after(made);
    while (half.nextSibling) made.append(half.nextSibling);
    this.scroll.measure(chunk);
    this.scroll.measure(made);
  }

  // --- how a row looks among its neighbours

  #paint(row) {
    const message = this.#messages.get(row);
    fillRow(row, message, message.user === this.you.user, this.say);
  }

  /** A row is the first of its group unless the one before continues without a break. */
  #regroup(row) {
    if (!row?.matches?.(".msg")) return;
    const message = this.#messages.get(row);
    const previous = neighbour(row, "previous");
    const before = previous && this.#messages.get(previous);
    this.#separate(row, !before || dayOf(before.at) !== dayOf(message.at));
    const first =
      !before ||
      row.previousElementSibling?.matches(".day, .unread, .gap") ||
      before.user !== message.user ||
      (before.name !== message.name && message.user !== this.you.user) ||
      message.at - before.at > TOGETHER;
    row.classList.toggle("first", first);
    row.querySelector(".av").hidden = !first;
    row.querySelector(".gt").hidden = first;
    row.querySelector(".head").classList.toggle("vh", !first);
  }

  #separate(row, needed) {
    const below = row.previousElementSibling?.matches(".unread") ? row.previousElementSibling : row;
    const old = below.previousElementSibling?.matches(".day") ? below.previousElementSibling : null;
    const day = dayOf(this.#messages.get(row).at);
    if (old && needed && Number(old.dataset.day) === day) return;
    old?.remove();
    if (!needed) return;
    const made = element("div", element("span"));
    made.className = "day";
    made.role = "separator";
    made.dataset.day = day;
    this.#nameDay(made);
    below.before(made);
  }

  #nameDay(row) {
    const name = dayName(Number(row.dataset.day), dayOf(Date.now()), this.language);
    row.firstElementChild.textContent = name;
    row.setAttribute("aria-label", name);
  }

  #rollDays() {
    const midnight = new Date();
    midnight.setHours(24, 0, 1, 0);
    setTimeout(() => {
      this.col.querySelectorAll(".day").forEach((row) => this.#nameDay(row));
      this.#rollDays();
    }, midnight - Date.now());
  }

  #drop(row) {
    const { id, cid } = this.#messages.get(row);
    const next = neighbour(row, "next");
    const heir = next ?? neighbour(row, "previous");
    if (row.contains(document.activeElement)) heir?.focus();
    if (this.#current === row) this.#makeCurrent(heir);
    clearTimeout(this.#leaving.get(row));
    this.#leaving.delete(row);
    this.#rows.delete(id);
    if (this.#waiting.get(cid) === row) this.#waiting.delete(cid);
    this.#separate(row, false);
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
      this.#makeCurrent(this.#last);
    }
  }

  #makeCurrent(row) {
    if (this.#current) this.#current.tabIndex = -1;
    this.#current = row;
    if (row) row.tabIndex = 0;
  }

  /** Beyond what may be held, the oldest chunks go; never one somebody is in. */
  #trim() {
    if (this.#rows.size <= MOST || !this.scroll.stuck) return;
    const chunk = this.#chunks[0];
    const chosen = getSelection();
    const inUse = chunk.contains(document.activeElement) || chunk.querySelector(".editor");
    if (inUse || (!chosen.isCollapsed && chosen.containsNode(chunk, true))) return;
    for (const row of rowsOf(chunk)) this.#rows.delete(this.#messages.get(row).id);
    chunk.remove();
    this.#regroup(this.#first);
    this.earlier.offer();
  }

  // --- the beginning: what the server rendered, and what came before it

  #adopt() {
    this.col.querySelectorAll(".day").forEach((row) => row.remove());
    for (const row of this.col.querySelectorAll(".msg")) {
      const message = readRow(row, this.you);
      this.#messages.set(row, message);
      this.#rows.set(message.id, row);
      this.#paint(row);
      this.#regroup(row);
    }
    this.#tidy();
    this.scroll.toEnd();
  }

  async #loadEarlier() {
    const oldest = this.#first && this.#messages.get(this.#first).id;
    if (!oldest) return true; // nothing at all yet: the connection brings the newest
    const { messages, more } = await this.load({ before: oldest, limit: CHUNK });
    this.#prepend(messages);
    if (!more) this.#begin();
    return more;
  }

  #begin() {
    this.earlier.end(this.say("log.start", { room: this.room }));
    this.#tidy();
  }

  #prepend(messages) {
    const fresh = messages.filter(({ id, deleted }) => !deleted && !this.#rows.has(id));
    if (fresh.length === 0) return;
    const old = this.#first;
    this.scroll.holdWhile(() => {
      const chunk = element("div", ...fresh.map(() => clone("message")));
      chunk.className = "chunk";
      this.empty.after(chunk);
      rowsOf(chunk).forEach((row, n) => {
        this.#messages.set(row, fresh[n]);
        this.#rows.set(fresh[n].id, row);
        this.#paint(row);
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

  // --- what a person does to a row

  #listen() {
    this.log.addEventListener("click", (event) => this.#clicked(event));
    this.log.addEventListener("keydown", (event) => this.#key(event));
    this.log.addEventListener("focusin", ({ target }) => {
      // Not for a link within: the stop would jump behind a person who goes through with Tab.
      if (target.matches(".msg") && target !== this.#current) this.#makeCurrent(target);
    });
  }

  #clicked({ target }) {
    const button = target.closest("button");
    const row = target.closest(".msg");
    if (!button || !row) return;
    const { cid } = this.#messages.get(row);
    const acts = {
      edit: () => this.#edit(row),
      delete: () => this.#delete(row),
      undo: () => this.#undo(row),
      cancel: () => this.#closeEditor(row),
      again: () => this.on.again(cid),
      take: () => this.on.take(cid),
      discard: () => this.on.discard(cid),
      copy: () => this.on.copy(button.parentElement.querySelector("pre").textContent, button),
    };
    Object.entries(acts).find(([name]) => button.classList.contains(name))?.[1]();
  }

  #key(event) {
    const row = event.target;
    if (!row.matches(".msg") || event.ctrlKey || event.metaKey || event.altKey) return;
    const moves = {
      ArrowUp: () => neighbour(row, "previous")?.focus(),
      ArrowDown: () => neighbour(row, "next")?.focus(),
      Home: () => this.#first.focus(),
      End: () => (this.scroll.toEnd(), this.#last.focus()),
      Escape: () => this.on.leave(),
    };
    if (!moves[event.key]) return;
    event.preventDefault();
    moves[event.key]();
  }

  #edit(row) {
    if (row.querySelector(".editor")) return;
    const message = this.#messages.get(row);
    const { limit, say } = this;
    const save = (text) => this.#saveEdit(row, text);
    const editor = openEditor({ text: message.text, limit, say, save, cancel: () => this.#closeEditor(row) });
    this.scroll.hold(() => {
      row.querySelector(".body").hidden = true;
      row.querySelector(".body").after(editor);
    });
    const area = editor.querySelector("textarea");
    grow(area);
    area.focus();
  }

  #saveEdit(row, text) {
    const message = this.#messages.get(row);
    this.#closeEditor(row);
    if (text === message.text) return;
    fillRow(row, { ...message, text }, true, this.say);
    row.dataset.state = "pending";
    this.on.edit(message.id, text);
  }

  #closeEditor(row) {
    this.scroll.hold(() => {
      row.querySelector(".editor").remove();
      row.querySelector(".body").hidden = false;
    });
    row.focus({ preventScroll: true });
  }

  #delete(row) {
    const line = clone("deleted");
    this.scroll.hold(() => {
      row.classList.add("deleted");
      row.append(line);
    });
    line.querySelector(".undo").focus({ preventScroll: true });
    this.#leaving.set(row, setTimeout(() => this.#leave(row), UNDO));
  }

  #undo(row) {
    clearTimeout(this.#leaving.get(row));
    this.#leaving.delete(row);
    this.scroll.hold(() => {
      row.classList.remove("deleted");
      row.querySelector(".st").remove();
      this.#paint(row);
    });
    row.focus({ preventScroll: true });
  }

  #leave(row) {
    clearTimeout(this.#leaving.get(row));
    this.#leaving.delete(row);
    const undo = row.querySelector(".undo");
    if (undo === document.activeElement) (neighbour(row, "next") ?? neighbour(row, "previous"))?.focus();
    undo?.remove();
    this.on.remove(this.#messages.get(row).id);
  }
}
