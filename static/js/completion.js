// Owns the list of what may be meant while somebody writes a name after `@`, or an emoji after `:`; over
// the message box, and over a box in which a message is edited. Fetched with the first sign.

import { element } from "./dom.js";

const BOXES = ".composer textarea, .editor textarea";

export class Completion {
  #area = null; // the box it is open over
  #start = 0; // where in its text what is completed begins, with its sign
  #closed = -1; // the same, of what a person does not want completed
  #found = []; // [{text, parts}]
  #at = 0; // the one that is offered
  #asked = 0; // counts: an answer that comes late is thrown away

  /** A source is {sign, label, find(letters)}: `sign` finds its letters at the end of a text, `find` says
   *  what they may mean: what to write, and how it is shown. `place`: where the list is to stand. */
  constructor({ place, sources }) {
    Object.assign(this, { sources, list: element("div") });
    this.choices = element("div");
    this.list.append(element("p"), this.choices);
    Object.assign(this.list, { className: "pop names", popover: "manual" });
    Object.assign(this.list.firstChild, { className: "cap", ariaHidden: "true" });
    Object.assign(this.choices, { id: "completion", role: "listbox" });
    place.append(this.list);
    document.addEventListener("input", ({ target }) => target.matches(BOXES) && this.look(target));
    document.addEventListener("keydown", (event) => this.#key(event), true); // before the box itself
    document.addEventListener("focusout", () => this.#close());
    document.addEventListener("selectionchange", () => this.#moved());
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the box keeps the focus
    this.list.addEventListener("click", ({ target }) => {
      const at = [...this.choices.children].indexOf(target.closest(".opt"));
      if (at >= 0) this.#pick(at);
    });
  }

  /** Offers what may be meant by what stands before the caret of a box, or nothing. */
  async look(area) {
    const asked = (this.#asked += 1);
    const { selectionStart, selectionEnd, value } = area;
    const before = selectionStart === selectionEnd ? value.slice(0, selectionStart) : "";
    const match = (source) => ({ source, letters: source.sign.exec(before)?.[1] });
    const { source, letters } = this.sources.map(match).find((one) => one.letters !== undefined) ?? {};
    const start = source ? before.length - letters.length - 1 : -1;
    if (start !== this.#closed) this.#closed = -1;
    const found = source && start !== this.#closed ? await source.find(letters) : [];
    if (asked !== this.#asked) return;
    if (found.length > 0 && area === document.activeElement) this.#open(area, start, source.label, found);
    else this.#close();
  }

  #open(area, start, label, found) {
    if (area !== this.#area) this.#close();
    [this.#area, this.#start, this.#found] = [area, start, found];
    this.list.firstChild.textContent = this.choices.ariaLabel = label;
    this.choices.replaceChildren(...found.map(({ parts }, at) => option(parts, at)));
    area.parentElement.classList.add("completed");
    const states = { autocomplete: "list", haspopup: "listbox", controls: this.choices.id };
    for (const [name, value] of Object.entries(states)) area.setAttribute(`aria-${name}`, value);
    if (!this.list.matches(":popover-open")) this.list.showPopover();
    this.#offer(0);
  }

  #close() {
    this.#asked += 1;
    if (!this.#area) return;
    for (const name of ["autocomplete", "haspopup", "controls", "activedescendant"]) {
      this.#area.removeAttribute(`aria-${name}`);
    }
    this.#area.parentElement?.classList.remove("completed");
    this.#area = null;
    this.list.hidePopover();
  }

  #offer(at) {
    this.#at = (at + this.#found.length) % this.#found.length;
    [...this.choices.children].forEach((choice, n) => (choice.ariaSelected = String(n === this.#at)));
    this.#area.setAttribute("aria-activedescendant", this.choices.children[this.#at].id);
  }

  /** Not while an input method composes: then the keys are its own (Safari says only 229). */
  #key(event) {
    if (event.target !== this.#area || event.isComposing || event.keyCode === 229) return;
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
    const acts = {
      ArrowDown: () => this.#offer(this.#at + 1),
      ArrowUp: () => this.#offer(this.#at - 1),
      Enter: () => this.#pick(this.#at),
      Tab: () => this.#pick(this.#at),
      Escape: () => ((this.#closed = this.#start), this.#close()),
    };
    const act = acts[event.key];
    if (!act) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    act();
  }

  #pick(at) {
    const area = this.#area;
    const { text } = this.#found[at];
    const end = area.selectionStart;
    const spaced = area.value[end] === " " ? 1 : 0;
    area.setRangeText(`${text} `, this.#start, end + spaced, "end");
    this.#close();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Somebody has gone elsewhere in the text. */
  #moved() {
    const area = this.#area;
    if (area && area.selectionStart <= this.#start) this.#close();
  }
}

function option(parts, at) {
  const made = element("div", ...parts);
  Object.assign(made, { className: "opt", id: `completion-${at}`, role: "option" });
  return made;
}
