// Owns the menu of one person: beside what was pressed, and for a finger as a sheet. Fetched when one
// is opened first.

import { element } from "./dom.js";
import { openDialog } from "./drawers.js";
import { part, signButton } from "./frame.js";
import { icon } from "./icon.js";
import { moveIn } from "./menus.js";

const FINGER = matchMedia("(pointer: coarse)");

export class PersonMenu {
  #opener = null;
  #person = null; // whose menu is open

  /** `offers(person)`: groups of what may be done, each {name, sign, bad, act}; `caption(person)`: who
   *  that is in words; `find(user)`: more of a person, or null. */
  constructor({ say, offers, caption, find }) {
    Object.assign(this, { say, offers, caption, find });
    this.words = part("p", "cap", { id: "person-about", dir: "auto" });
    this.choices = part("div", "choices");
    this.menu = part("div", "pop whom", { popover: "auto", role: "menu" });
    this.sheet = this.#makeSheet();
    this.menu.setAttribute("aria-labelledby", this.words.id);
    this.menu.addEventListener("toggle", ({ newState }) => newState === "closed" && this.#closed());
    this.menu.addEventListener("keydown", (event) => this.#key(event));
    for (const place of [this.menu, this.sheet]) place.addEventListener("click", ({ target }) => this.#press(target.closest(".opt")));
  }

  /** Shows what may be done about a person; what more is known of them comes when it is there. */
  async open(person, opener) {
    const [again, finger] = [this.#opener === opener, FINGER.matches];
    this.close();
    if (again && !finger) return;
    [this.#person, this.#opener] = [person, opener];
    this.#draw();
    if (finger) this.#openSheet();
    else this.#openMenu();
    const more = await this.find(person.user);
    if (!more || this.#person !== person) return;
    Object.assign(person, more);
    this.#draw();
  }

  close() {
    this.menu.hidePopover();
    this.sheet.close();
  }

  get #options() {
    return [...this.choices.querySelectorAll(".opt")];
  }

  #openMenu() {
    const opener = this.#opener;
    opener.closest("aside, main").append(this.menu); // of a drawer, not beside it
    this.menu.prepend(this.words);
    this.menu.append(this.choices);
    opener.dataset.asked = ""; // the menu stands beside it
    if (opener.matches("button")) opener.ariaExpanded = "true";
    this.menu.showPopover();
    this.#options[0].focus();
  }

  #openSheet() {
    this.sheet.firstElementChild.prepend(this.words);
    this.sheet.append(this.choices);
    openDialog(this.sheet, this.#opener);
  }

  /** Everything as it is known now; the focus stays on what it was on, if that is still there. */
  #draw() {
    const held = document.activeElement?.closest(".choices .opt")?.value;
    const groups = this.offers(this.#person).filter((group) => group.length > 0);
    const lines = groups.flatMap((group, at) => [...(at ? [element("hr")] : []), ...group.map((offer) => this.#option(offer))]);
    this.words.textContent = this.caption(this.#person);
    this.choices.replaceChildren(...lines);
    if (held) (this.#options.find(({ value }) => value === held) ?? this.#options[0]).focus();
  }

  #option({ name, sign, bad = false, words, act }) {
    const option = part("button", bad ? "opt bad" : "opt", { type: "button", value: name }, icon(sign), element("span", words));
    if (!FINGER.matches) Object.assign(option, { role: "menuitem", tabIndex: -1 });
    option.act = act;
    return option;
  }

  #press(option) {
    if (!option) return;
    const [person, opener] = [this.#person, this.#opener];
    this.close();
    option.act(person, opener);
  }

  #key(event) {
    if (event.key === "Tab") this.menu.hidePopover(); // and on from what it was opened by
    else moveIn(this.#options, event);
  }

  #closed() {
    const opener = this.#opener;
    this.#person = this.#opener = null;
    delete opener.dataset.asked;
    if (opener.matches("button")) opener.ariaExpanded = "false";
    if (this.menu.contains(document.activeElement) || document.activeElement === document.body) (opener.closest(".msg") ?? opener).focus();
  }

  #makeSheet() {
    const head = part("div", "quoted", {}, signButton("close", "close", this.say("dialog.close")));
    const sheet = part("dialog", "sheet whom", {}, head);
    sheet.setAttribute("aria-labelledby", this.words.id);
    head.lastChild.addEventListener("click", () => sheet.close());
    sheet.addEventListener("click", ({ target }) => target === sheet && sheet.close()); // the backdrop
    sheet.addEventListener("close", () => (this.#person = this.#opener = null));
    document.body.append(sheet);
    return sheet;
  }
}
