// Owns the list of rooms this browser has been in.

import { clone, element } from "./dom.js";

/** The rooms this browser has been in, in the order of the first visit, with their drafts. */
export class Rooms {
  /** `waiting()`: {waiting, failed} of each room in which there is something. */
  constructor({ room, title, base, say, storage, waiting }) {
    Object.assign(this, { room, title, base, say, storage, waiting, list: document.querySelector(".rooms") });
    const visited = storage.read("rooms", []).filter((name) => typeof name === "string");
    if (!visited.includes(room)) storage.write("rooms", [...visited, room]);
    this.titles = { ...storage.read("titles", {}), [room]: title };
    storage.write("titles", this.titles);
    const house = this.list.querySelector("a").dataset.room;
    const others = [...visited, room].filter((name) => name !== house);
    const rows = [...new Set(others)].map((name) => this.#row(name));
    this.list.replaceChildren(this.list.firstElementChild, ...rows);
    this.mark();
  }

  #row(name) {
    const row = clone("room");
    const link = row.firstElementChild;
    link.dataset.room = name;
    link.href = `${this.base}r/${encodeURIComponent(name)}`;
    if (name === this.room) link.setAttribute("aria-current", "page");
    link.querySelector(".rn").textContent = this.titles[name] ?? name;
    const off = row.lastElementChild;
    off.title = off.ariaLabel = this.say("rooms.off", { room: link.textContent.slice(1) });
    off.addEventListener("click", () => this.#takeOff(row, name));
    return row;
  }

  /** A room that one came to by accident need not stay; it is back with the next visit. */
  #takeOff(row, name) {
    this.storage.write("rooms", this.storage.read("rooms", []).filter((other) => other !== name));
    (row.nextElementSibling ?? row.previousElementSibling).firstElementChild.focus();
    row.remove();
  }

  /** Says beside each room what waits in it, what was not sent, and that there is a draft. */
  mark() {
    const waits = this.waiting();
    for (const link of this.list.querySelectorAll("a")) {
      const { room } = link.dataset;
      const { waiting = 0, failed = 0 } = waits?.get(room) ?? {};
      const marks = [
        failed && this.#count("alert", "rooms.failed", failed),
        waiting && this.#count("clock", "rooms.waiting", waiting),
        this.storage.text(`${room}:draft`) && this.#mark(this.say("rooms.draft")),
      ];
      link.querySelectorAll(".mark").forEach((old) => old.remove());
      link.append(...marks.filter(Boolean));
      const off = link.nextElementSibling; // what is written there must not be lost sight of
      if (off) off.hidden = room === this.room || marks.some(Boolean);
    }
  }

  #mark(...children) {
    const mark = element("span", ...children);
    mark.className = "mark";
    return mark;
  }

  /** A sign and a number for the eye, the words for everybody else. */
  #count(sign, key, n) {
    const words = element("span", this.say(key, { n }));
    words.className = "vh";
    const number = element("span", String(n));
    number.ariaHidden = "true";
    const mark = this.#mark(clone(`sign-${sign}`), number, words);
    mark.classList.add(sign);
    mark.title = words.textContent;
    return mark;
  }
}

/** Takes over the list that an earlier version kept for the browser, whoever used it. */
export function inheritRooms(storage, old) {
  try {
    const text = localStorage.getItem(old);
    if (text === null) return;
    localStorage.removeItem(old);
    if (storage.text("rooms") === null) storage.keep("rooms", text);
  } catch {
    return; // nothing to inherit
  }
}
