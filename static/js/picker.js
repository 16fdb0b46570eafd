// Owns the list that an emoji is chosen from: beside what opened it, or a sheet for a finger. Fetched
// on first use.

import { element } from "./dom.js";
import { openDialog } from "./drawers.js";
import { find, groups } from "./emoji.js";
import { SIX } from "./reactions.js";

const LINE = 8; // emoji, as in reactions.css
const LATELY = LINE; // emoji remembered
const KEY = "emoji";
const FINGER = matchMedia("(pointer: coarse)");

/** Opens it at `anchor`, for `chosen(emoji)`. `mine`: the emoji that are chosen there already, null
 *  where a choice is no state; `label` names it. */
export function open(options) {
  new Picker(options).open();
}

class Picker {
  #turn = 0; // counts what was asked for: an answer to an earlier one is late

  constructor({ anchor, mine = null, chosen, label, say, storage }) {
    Object.assign(this, { anchor, mine, chosen, say, storage });
    this.place = element(FINGER.matches ? "dialog" : "div");
    this.place.className = `picker ${FINGER.matches ? "sheet" : "pop"}`;
    this.place.ariaLabel = label;
    this.field = element("input");
    Object.assign(this.field, { type: "search", className: "field", autocomplete: "off" });
    this.field.placeholder = this.field.ariaLabel = say("emoji.search");
    this.list = element("div");
    this.list.className = "list";
    this.place.append(this.#grid(SIX.map((emoji) => ({ emoji })), "six"), this.#bar(), this.list);
    this.#showAll();
    this.#listen();
  }

  open() {
    const { anchor, place } = this;
    document.body.append(place);
    if (FINGER.matches) return openDialog(place, anchor.closest(".msg") ?? anchor);
    Object.assign(place, { role: "dialog", popover: "auto" });
    anchor.classList.add("picks");
    place.showPopover();
    this.field.focus();
  }

  #bar() {
    const close = document.querySelector("dialog .close").cloneNode(true);
    close.addEventListener("click", () => this.#close());
    const bar = element("div", this.field, ...(FINGER.matches ? [close] : []));
    bar.className = "pair";
    return bar;
  }

  #close() {
    if (FINGER.matches) this.place.close();
    else this.place.hidePopover();
  }

  #gone() {
    const { activeElement, body } = document;
    this.anchor.classList.remove("picks");
    this.place.remove();
    if (activeElement === body || this.place.contains(activeElement)) this.anchor.focus({ preventScroll: true });
  }

  #listen() {
    const { field, place } = this;
    place.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#gone());
    place.addEventListener("close", () => this.#gone());
    place.addEventListener("click", ({ target }) => {
      if (target === place && FINGER.matches) this.#close(); // the backdrop
      else if (target.matches("[data-emoji]")) this.#choose(target.dataset.emoji);
    });
    place.addEventListener("focusin", ({ target }) => target.matches("[data-emoji]") && stop(target));
    place.addEventListener("keydown", (event) => this.#key(event));
    field.addEventListener("input", () => this.#search());
  }

  #choose(emoji) {
    const lately = this.#lately.filter((one) => one !== emoji);
    this.storage.write(KEY, [emoji, ...lately].slice(0, LATELY));
    this.#close();
    this.chosen(emoji);
  }

  get #lately() {
    return this.storage.read(KEY, []).filter((one) => typeof one === "string");
  }

  // --- what there is

  async #showAll() {
    const turn = (this.#turn += 1);
    const lately = this.#lately.map((emoji) => ({ emoji }));
    this.#show(lately.length > 0 ? [this.#part(this.say("emoji.lately"), lately)] : []);
    const all = await groups().catch(() => null);
    if (!all && turn === this.#turn) this.list.append(this.#words("emoji.failed"));
    for (const { title, emoji } of all ?? []) {
      if (turn !== this.#turn) return;
      this.list.append(this.#part(title, emoji));
      this.#offer();
      await new Promise(requestAnimationFrame); // all at once would hold up the page
    }
  }

  async #search() {
    const letters = this.field.value.trim();
    if (!letters) return this.#showAll();
    const turn = (this.#turn += 1);
    const found = await find(letters).catch(() => null);
    if (turn !== this.#turn) return;
    this.list.scrollTop = 0;
    this.#show([found?.length > 0 ? this.#grid(found) : this.#words(found ? "emoji.none" : "emoji.failed")]);
  }

  #show(parts) {
    this.list.replaceChildren(...parts);
    this.#offer();
  }

  /** Something in the list can be reached with Tab. */
  #offer() {
    const first = this.list.querySelector("[data-emoji]");
    if (first && !this.list.querySelector("[tabindex='0']")) first.tabIndex = 0;
  }

  #words(key) {
    const words = element("p", this.say(key));
    Object.assign(words, { className: "cap", role: "status" });
    return words;
  }

  #part(title, emoji) {
    const caption = element("h3", title);
    caption.className = "cap";
    return element("section", caption, this.#grid(emoji));
  }

  #grid(emoji, className = "grid") {
    const grid = element("div", ...emoji.map((one) => this.#button(one)));
    grid.className = className;
    if (className === "six") grid.firstElementChild.tabIndex = 0;
    return grid;
  }

  #button({ emoji, name = "" }) {
    const button = element("button", emoji);
    Object.assign(button, { type: "button", title: name, tabIndex: -1 });
    button.dataset.emoji = emoji;
    if (this.mine) button.ariaPressed = String(this.mine.has(emoji));
    return button;
  }

  // --- keys: lines of emoji with the field between the first and the others

  #key(event) {
    const { field, place } = this;
    const { key, target } = event;
    const first = this.list.querySelector("[data-emoji]");
    if (key === "Enter" && target === field) {
      event.preventDefault();
      if (field.value.trim()) first?.click();
    } else if (target !== field && key.length === 1 && key !== " " && !event.ctrlKey && !event.metaKey) {
      field.focus(); // and the letter goes there
    } else {
      const to = target === field ? { ArrowUp: place.querySelector(".six > *"), ArrowDown: first }[key] : this.#beside(target, key);
      if (!to) return;
      event.preventDefault();
      to.focus();
    }
  }

  #beside(button, key) {
    const lines = [...this.place.querySelectorAll(".six, .grid")].flatMap(linesOf);
    const y = lines.findIndex((line) => line.includes(button));
    if (y < 0) return null;
    const x = lines[y].indexOf(button);
    const below = { ArrowUp: y - 1, ArrowDown: y + 1 }[key];
    if (below !== undefined) {
      if (Math.min(y, below) === 0 && Math.max(y, below) === 1) return this.field;
      return lines[below] && (lines[below][x] ?? lines[below].at(-1));
    }
    const all = lines.flat();
    return all[all.indexOf(button) + ({ ArrowLeft: -1, ArrowRight: 1 }[key] ?? Infinity)];
  }
}

function linesOf(grid) {
  const all = [...grid.children];
  const length = grid.matches(".six") ? SIX.length : LINE;
  return Array.from({ length: Math.ceil(all.length / length) }, (_, n) => all.slice(n * length, (n + 1) * length));
}

/** The one of its list that Tab comes to. */
function stop(button) {
  const list = button.closest(".six, .list");
  for (const old of list.querySelectorAll("[tabindex='0']")) old.tabIndex = -1;
  button.tabIndex = 0;
}
