// Owns the quick switcher: the person's rooms, found by a few letters. A box with a list, as screen
// readers know it: the focus stays in the box.

import { element } from "./dom.js";

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const news = ({ dataset }) => ("mentioned" in dataset ? 2 : Number("unread" in dataset));

export class Switcher {
  #at = 0;
  #links = []; // of the rooms that are shown

  /** `links()`: those of the rooms, in the person's order. */
  constructor(dialog, links) {
    Object.assign(this, { dialog, links });
    this.field = dialog.querySelector("input");
    this.list = dialog.querySelector("ul");
    this.none = dialog.querySelector(".none");
    this.field.addEventListener("input", () => this.show());
    this.field.addEventListener("keydown", (event) => this.#key(event));
    this.list.addEventListener("click", ({ target }) => this.#go(target.closest("li")));
    dialog.addEventListener("close", () => (this.field.value = ""));
  }

  /** What is looked for; without a letter all, first what is new, last where one is. */
  show() {
    const sought = plain(this.field.value.trim());
    const rank = sought ? (link) => Number(this.#name(link).startsWith(sought)) : this.#rank;
    const found = this.links().filter((link) => this.#name(link).includes(sought));
    this.#links = found.sort((one, other) => rank(other) - rank(one));
    this.list.replaceChildren(...this.#links.map((link, n) => this.#option(link, n)));
    this.none.textContent = found.length > 0 ? "" : this.none.dataset.words;
    this.field.ariaExpanded = found.length > 0;
    this.#choose(0);
  }

  #rank = (link) => (link.ariaCurrent ? -1 : news(link));

  #name(link) {
    return plain(link.querySelector(".rn").textContent);
  }

  #option(link, n) {
    const option = element("li", ...link.cloneNode(true).childNodes);
    return Object.assign(option, { id: `switch-${n}`, role: "option", className: link.className });
  }

  #choose(at) {
    const options = [...this.list.children];
    this.#at = at;
    options.forEach((option, n) => (option.ariaSelected = n === at));
    options[at]?.scrollIntoView({ block: "nearest" });
    if (options[at]) this.field.setAttribute("aria-activedescendant", options[at].id);
    else this.field.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    if (event.isComposing) return;
    const { length } = this.#links;
    const to = { ArrowDown: this.#at + 1, ArrowUp: this.#at - 1 + length }[event.key];
    if (event.key === "Enter") this.#go(this.list.children[this.#at]);
    else if (to !== undefined && length > 0) this.#choose(to % length);
    else return;
    event.preventDefault();
  }

  #go(option) {
    const link = this.#links[[...this.list.children].indexOf(option)];
    if (!link) return;
    this.dialog.close();
    link.click();
  }
}
