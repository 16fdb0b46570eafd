// Owns what a person does to the list of rooms: its order, by dragging, by keys and by a menu that a
// finger can use as well; and what else is in that menu.

import { clone } from "./dom.js";
import { moveIn } from "./menus.js";

const STEPS = { ArrowUp: -1, ArrowDown: 1 };

export class Arranging {
  #row = null; // whose menu is open
  #menu = clone("room-menu");

  /**
   * `keep(names)` saves an order; `send(name, fields)` tells the server, and is false without a line;
   * `tell` says aloud what was done.
   */
  constructor({ rooms, say, keep, send, tell }) {
    Object.assign(this, { rooms, say, keep, send, tell });
    const { list } = rooms;
    list.addEventListener("keydown", (event) => this.pressed(event));
    for (const name of ["dragstart", "dragover", "drop", "dragend"]) {
      list.addEventListener(name, (event) => this.#drags[name](event));
    }
    this.#menu.addEventListener("toggle", ({ newState }) => this.#turn(newState === "open"));
  }

  /** Something in the list was pressed. */
  clicked(target) {
    const row = target.closest("li");
    if (target.closest(".more")) return this.#open(row);
    const item = target.closest("[role=menuitem]");
    if (!item) return;
    if (item.matches(".up, .down")) return this.#step(row, item.matches(".up") ? -1 : 1);
    this.#menu.hidePopover();
    const { room } = row.firstElementChild.dataset;
    if (item.matches(".read")) this.send("read_all", { room });
    else if (this.send("leave", { room })) this.rooms.forget(room);
  }

  // --- by keys and by the menu

  /** Moves a row by one place. It is the neighbour that changes places: the row keeps the focus. */
  #step(row, by) {
    const other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other) return;
    if (by < 0) row.after(other);
    else row.before(other);
    this.#save();
    const { list } = this.rooms;
    const [room, at] = [this.#title(row), [...list.children].indexOf(row) + 1];
    this.tell(this.say("rooms.moved", { room, at, of: list.children.length }));
    this.#bound();
  }

  /** The first room cannot go up, the last not down. */
  #bound() {
    const { previousElementSibling: before, nextElementSibling: after } = this.#row ?? {};
    this.#menu.querySelector(".up").ariaDisabled = !before;
    this.#menu.querySelector(".down").ariaDisabled = !after;
  }

  #save() {
    const names = this.rooms.links.map((link) => link.dataset.room);
    this.rooms.reorder(names);
    this.keep(names);
  }

  #title(row) {
    return row.querySelector(".rn").textContent;
  }

  /** A key in the list or in its menu. */
  pressed(event) {
    const { key, ctrlKey, shiftKey, target } = event;
    const by = STEPS[key];
    if (target.matches("a") && ctrlKey && shiftKey && by) this.#step(target.parentElement, by);
    else if (target.matches("[role=menuitem]")) return this.#inMenu(event);
    else return;
    event.preventDefault();
  }

  #inMenu(event) {
    if (event.key === "Tab") this.#menu.hidePopover(); // and on from the button
    else moveIn(this.#items, event);
  }

  get #items() {
    return [...this.#menu.querySelectorAll("[role=menuitem]:not([hidden])")];
  }

  #open(row) {
    const { room } = row.firstElementChild.dataset;
    if (this.#menu.matches(":popover-open") && this.#row === row) return this.#menu.hidePopover();
    this.#row = row;
    row.append(this.#menu);
    this.#menu.querySelector(".read").hidden = !this.rooms.news(room).unread;
    this.#menu.querySelector(".leave").hidden = !this.rooms.mayGo(room);
    this.#bound();
    this.#menu.showPopover();
    this.#items[0].focus();
  }

  #turn(open) {
    const more = this.#row.querySelector(".more");
    more.ariaExpanded = open;
    if (!open && this.#menu.contains(document.activeElement)) more.focus();
  }

  // --- by a pointer

  #dragged = null; // {row, before: the order it was taken from}
  #drags = {
    dragstart: ({ target, dataTransfer }) => {
      const row = target.closest?.("li");
      if (!row) return;
      this.#dragged = { row, before: [...this.rooms.list.children] };
      dataTransfer.effectAllowed = "copyMove"; // what is let go elsewhere is a link
      this.rooms.held = true;
      row.classList.add("held");
    },
    dragover: (event) => {
      const { row } = this.#dragged ?? {};
      const over = event.target.closest?.("li");
      if (!row) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = "move";
      if (!over || over === row) return;
      const { top, height } = over.getBoundingClientRect();
      if (event.clientY < top + height / 2) over.before(row);
      else over.after(row);
    },
    drop: (event) => event.preventDefault(),
    dragend: ({ dataTransfer }) => {
      const { row, before } = this.#dragged ?? {};
      if (!row) return;
      this.#dragged = null;
      this.rooms.held = false;
      row.classList.remove("held");
      if (dataTransfer.dropEffect === "move") this.#save();
      else this.rooms.list.append(...before);
      this.rooms.arrange();
    },
  };
}
