// Owns the list of rooms this browser has been in.

import { clone, element } from "./dom.js";

/** The rooms this browser has been in, in the order of the first visit, with their drafts. */
export class Rooms {
  constructor({ room, title, base, say, storage, key, draftKey }) {
    Object.assign(this, { room, title, base, say, storage, draftKey, list: document.querySelector(".rooms") });
    const visited = JSON.parse(storage.getItem(key) ?? "[]");
    if (!visited.includes(room)) storage.setItem(key, JSON.stringify([...visited, room]));
    this.house = this.list.querySelector("a").dataset.room;
    const others = [...visited, room].filter((name) => name !== this.house);
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
    link.querySelector(".rn").textContent = name === this.room ? this.title : name;
    return row;
  }

  mark() {
    for (const link of this.list.querySelectorAll("a")) {
      const drafted = this.storage.getItem(this.draftKey(link.dataset.room)) !== null;
      const old = link.querySelector(".mark");
      if (!drafted) old?.remove();
      else if (!old) {
        const mark = element("span", this.say("rooms.draft"));
        mark.className = "mark";
        link.append(mark);
      }
    }
  }
}
