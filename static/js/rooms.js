// Owns the list of the person's rooms: as the server has it, with what is new in each, and what of this
// person waits there. What is new in the room that is shown the page counts itself.

import { capped } from "./badge.js";
import { clone, element } from "./dom.js";
import { showLock } from "./header.js";
import { lazily } from "./lazily.js";
import { mutedUntil } from "./levels.js";

const LONGEST = 2 ** 31 - 1; // ms that a timer can wait

export class Rooms {
  held = false; // a row is in somebody's hand: nothing else moves
  old = new Map(); // name -> title of rooms that the server does not know
  #told; // name -> {title, unread, mentioned} by the server, in the person's order
  #here = ""; // what was last counted in this room
  #waking = 0;

  /**
   * `room` and `title` are of this room, `home` the address of the house, `address(room)` that of any;
   * `hidden()`: whether this one is private; `waiting()`: {waiting, failed} of each room in which there is something; `kept`: the settings of
   * the person; `counted(here, elsewhere)` is called with {unread, mentioned} of this room and of all others.
   */
  constructor({ rooms, ...given }) {
    Object.assign(this, given);
    this.list = document.querySelector(".side .rooms");
    this.readAll = document.querySelector(".side .read-all");
    this.hear({ rooms, whole: true });
  }

  /** What the server says of the rooms: of all, in their order, or of some. */
  hear({ rooms, whole }) {
    if (whole) this.#told = new Map();
    for (const told of rooms) this.#told.set(told.room, told);
    this.reading.told = this.#told.get(this.room) ?? {};
    if (whole && !this.held) this.arrange();
    this.mark();
  }

  /** The names of the rooms, in order. */
  get names() {
    return [...new Set([...this.#told.keys(), ...this.old.keys(), this.room])];
  }

  knows(name) {
    return this.#told.has(name);
  }

  row(name) {
    return this.links.find((link) => link.dataset.room === name)?.parentElement;
  }

  get links() {
    return [...this.list.querySelectorAll("a")];
  }

  titleOf(name) {
    if (name === this.room) return this.title;
    return this.#told.get(name)?.title ?? this.old.get(name);
  }

  /** {unread, mentioned} as they are shown: nothing of a room that is muted. */
  news(name) {
    if (this.#muted(name)) return { unread: 0, mentioned: 0 };
    return name === this.room ? this.reading.counts : (this.#told.get(name) ?? { unread: 0, mentioned: 0 });
  }

  #muted(name) {
    return mutedUntil(this.kept, name, Date.now());
  }

  /** Whether a room may leave the list: not the house, not where one is, not with what was written there. */
  mayGo(name) {
    const link = this.row(name).firstElementChild;
    return name !== this.room && link.href !== this.home && !link.querySelector(".mark:not(.muted)");
  }

  /** The person has put the rooms in this order; the server's answer will be the same. */
  reorder(names) {
    this.#told = new Map(names.filter((name) => this.#told.has(name)).map((name) => [name, this.#told.get(name)]));
  }

  /** The person has left a room; it is back with the next visit. */
  forget(name) {
    this.#told.delete(name);
    if (this.old.delete(name)) this.storage.write("rooms", [...this.old.keys()]);
    this.arrange();
  }

  /** Rows in the order of `names`; those that are there stay what they are. */
  arrange() {
    const focused = document.activeElement;
    const { names } = this;
    for (const link of this.links) if (!names.includes(link.dataset.room)) this.#drop(link.parentElement);
    names.forEach((name, at) => {
      const row = this.row(name) ?? this.#row(name);
      if (!row.querySelector(".more")) row.append(this.#more(name));
      if (row !== this.list.children[at]) this.list.insertBefore(row, this.list.children[at] ?? null);
    });
    if (focused.isConnected && document.activeElement !== focused) focused.focus();
  }

  #drop(row) {
    const heir = row.nextElementSibling ?? row.previousElementSibling;
    if (row.contains(document.activeElement)) heir?.querySelector("a").focus();
    row.remove();
  }

  #row(name) {
    const row = clone("room-row");
    const link = row.firstElementChild;
    link.dataset.room = name;
    link.href = this.address(name);
    if (name === this.room) link.ariaCurrent = "page";
    link.querySelector(".rn").textContent = this.titleOf(name);
    return row;
  }

  #more(name) {
    const more = clone("room-more");
    more.title = more.ariaLabel = this.say("rooms.actions", { room: this.titleOf(name) });
    return more;
  }

  // --- what is said beside each room

  /** Says beside each room what is new and what waits in it, and that there is a draft. */
  mark() {
    const waits = this.waiting();
    for (const link of this.links) this.#mark(link, waits?.get(link.dataset.room));
    this.#count();
    this.#wake();
  }

  /** What is new in the room that is shown may be different. */
  count() {
    const { unread, mentioned } = this.reading.counts;
    if (this.#here === `${unread} ${mentioned}`) return;
    this.#here = `${unread} ${mentioned}`;
    this.#mark(this.row(this.room).firstElementChild);
    this.#count();
  }

  #count() {
    const elsewhere = { unread: 0, mentioned: 0 };
    for (const name of this.#told.keys()) {
      if (name === this.room) continue;
      const { unread, mentioned } = this.news(name);
      elsewhere.unread += Math.min(unread, 99);
      elsewhere.mentioned += mentioned;
    }
    const here = this.news(this.room);
    this.readAll.hidden = here.unread + elsewhere.unread === 0;
    this.counted(here, elsewhere);
  }

  #mark(link, { waiting = 0, failed = 0 } = {}) {
    const { room } = link.dataset;
    const { unread, mentioned } = this.news(room);
    const draft = this.storage.text(`${room}:draft`) || this.storage.text(`${room}:staged`) || (room !== this.room && this.kept.get(`draft:${room}`));
    const hidden = room === this.room ? this.hidden() : this.#told.get(room)?.private;
    const marks = [
      hidden && named("vh mark", this.say("rooms.private")),
      failed && this.#sign("alert", String(failed), this.say("rooms.failed", { n: failed })),
      waiting && this.#sign("clock", String(waiting), this.say("rooms.waiting", { n: waiting })),
      draft && named("mark", this.say("rooms.draft")),
      this.#muted(room) && this.#sign("muted", "", this.say("rooms.muted")),
      unread && this.#badge(unread, mentioned),
    ].filter(Boolean);
    showLock(link.querySelector(".hash"), hidden);
    link.classList.toggle("un", unread > 0);
    link.toggleAttribute("data-mentioned", mentioned > 0);
    if (unread) link.dataset.unread = unread;
    else delete link.dataset.unread;
    const old = [...link.querySelectorAll(":scope > .mark, :scope > .badge")];
    if (old.length === marks.length && old.every((mark, n) => mark.isEqualNode(marks[n]))) return;
    old.forEach((mark) => mark.remove());
    link.append(...marks);
  }

  /** The number for the eye, in a sentence for everybody else: "mentioned, @2 unread". */
  #badge(unread, mentioned) {
    const count = `${mentioned ? "@" : ""}${capped(unread)}`;
    const words = this.say(mentioned ? "rooms.mentioned" : "rooms.unread", { count });
    const parts = words.split(count).map((part) => part && named("vh", part));
    const badge = named("badge", parts[0], count, parts[1]);
    badge.classList.toggle("at", mentioned > 0);
    return badge;
  }

  /** A sign and a number for the eye, the words for everybody else. */
  #sign(sign, number, words) {
    const shown = number && element("span", number);
    if (shown) shown.ariaHidden = "true";
    const mark = named("mark", clone(`sign-${sign}`), shown, named("vh", words));
    mark.classList.add(sign);
    mark.title = words;
    return mark;
  }

  /** A room that is muted for a while counts again when that is over. */
  #wake() {
    clearTimeout(this.#waking);
    const next = Math.min(...this.names.map((name) => this.#muted(name) || Infinity)) - Date.now();
    if (next < LONGEST) this.#waking = setTimeout(() => this.mark(), next + 1);
  }
}

function named(className, ...children) {
  return Object.assign(element("span", ...children.filter(Boolean)), { className });
}

/** What a person does to the list is fetched when they come near it. */
export function wireArranging(given) {
  const { list, readAll } = given.rooms;
  let there = null;
  const arrange = lazily("arranging", ({ Arranging }) => (there = new Arranging(given)));
  for (const name of ["pointerover", "focusin"]) list.addEventListener(name, arrange);
  list.addEventListener("click", async ({ target }) => {
    const arranging = await arrange();
    if (arranging) arranging.clicked(target);
    else if (target.closest(".more")) given.warn();
  });
  list.addEventListener("keydown", async (event) => {
    if (there || !event.ctrlKey || !event.shiftKey || !/^Arrow(Up|Down)$/.test(event.key)) return;
    event.preventDefault(); // pressed before it was fetched
    (await arrange())?.pressed(event);
  });
  readAll.addEventListener("click", () => given.send("read_all", {}));
}
