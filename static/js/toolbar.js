// Owns what is offered for the row in hand: one toolbar that goes from row to row, its menu, and for
// a finger a sheet. What is chosen is done by actions.js.

import { wordsOf } from "./attachments.js";
import { copyFrom } from "./dialogs.js";
import { clone, element } from "./dom.js";
import { openDialog } from "./drawers.js";
import { moveIn } from "./menus.js";
import { SIX } from "./reactions.js";

const COPIED = 900; // ms "Copied" stands before the menu goes
const FINGER = matchMedia("(pointer: coarse)");

export const SENT = "[data-id]:not(.damaged, .deleted)";
export const MINE = `.mine${SENT}`;
export const WRITES = ":root:not([data-barred]) *"; // where the person may write (silence.js)

export class Toolbar {
  adapt = () => {}; // what else is offered for a row: moderators have more
  #row = null;

  /** `act(button, row)` does what a button in the sheet stands for; `tell(text)` says it aloud;
   *  `emoji(row)` are those a person has put there. */
  constructor({ timeline, say, act, tell, emoji }) {
    Object.assign(this, { timeline, say, tell, emoji, bar: clone("actions"), choices: clone("choices") });
    this.more = this.bar.querySelector(".more");
    this.menu = this.bar.querySelector(".pop");
    this.sheet = document.querySelector("dialog#sheet");
    const { log } = timeline;
    log.addEventListener("pointerover", ({ target }) => this.#point(target.closest(".msg")));
    log.addEventListener("focusin", ({ target }) => this.#offer(target.closest(".msg")));
    log.addEventListener("keydown", ({ target }) => target.matches(".msg") && this.#offer(target));
    this.menu.addEventListener("keydown", (event) => this.#key(event));
    this.menu.addEventListener("contextmenu", (event) => event.preventDefault()); // of the key that opened it
    this.menu.addEventListener("toggle", ({ newState }) => (this.more.ariaExpanded = newState === "open"));
    this.sheet.addEventListener("click", ({ target }) => {
      const button = target.closest(".opt, .quick");
      if (button) act(button, this.#row);
    });
  }

  /** The button in the toolbar that stands for what is done to a row, to open something beside it. */
  button(row, name) {
    this.#offer(row);
    return this.bar.querySelector(`.tools > .${name}`);
  }

  /** Shows everything that may be done to a row. */
  open(row) {
    this.#offer(row);
    const finger = FINGER.matches;
    const { text } = this.timeline.message(row);
    this.adapt(this.choices, row);
    for (const part of this.choices.children) {
      part.hidden = (part.matches(".own") && !row.matches(MINE)) || (part.matches(".edit, .reply") && !row.matches(WRITES)) || (part.matches(".phone") && !finger) || (part.matches(".copy-text") && !text);
      if (!part.matches(".opt")) continue;
      part.role = finger ? null : "menuitem";
      part.tabIndex = finger ? 0 : -1;
    }
    if (finger) return this.#openSheet(row);
    this.menu.append(this.choices);
    this.menu.showPopover();
    this.#options[0].focus();
  }

  close() {
    this.menu.hidePopover();
    this.sheet.close();
  }

  /** Copies something of a row, and says so in place of the words that were pressed. */
  async copy(button, row, kind) {
    const { id, text } = this.timeline.message(row);
    const words = button.querySelector("span");
    const before = words.textContent;
    if (before === this.say("text.copied")) return; // pressed twice
    const value = kind === "text" ? text : new URL(`#m${id}`, location.href).href;
    if (!(await copyFrom(button, value))) return;
    words.textContent = this.say("text.copied");
    this.tell(this.say("text.copied"));
    setTimeout(() => {
      words.textContent = before;
      this.close();
    }, COPIED);
  }

  /** The pointer is on a row. An open menu stays, and so does the focus, on its row. */
  #point(row) {
    if (!row || row === this.bar.parentElement || this.sheet.open || this.bar.querySelector(":popover-open, .picks")) return;
    if (this.bar.contains(document.activeElement)) this.#row.focus({ preventScroll: true });
    this.#offer(row);
  }

  get #options() {
    return [...this.choices.querySelectorAll(".opt:not([hidden])")];
  }

  #offer(row) {
    if (!row || this.bar.parentElement === row) return;
    this.#row = row;
    this.more.ariaExpanded = "false"; // a menu that was open has gone with its row
    if (row.matches(SENT)) row.append(this.bar);
    else this.bar.remove();
  }

  #openSheet(row) {
    const message = this.timeline.message(row);
    const { name, color } = message;
    const [who, said] = this.sheet.querySelector(".quoted p").children;
    who.textContent = row.querySelector(".who").textContent;
    said.textContent = wordsOf(message, this.say);
    this.sheet.firstElementChild.className = `quoted a${color}`;
    this.sheet.ariaLabel = this.say("message.from", { name });
    this.#tellWhose(row);
    this.sheet.querySelector(".six").replaceChildren(...this.#quick(this.emoji(row)));
    this.sheet.append(this.choices);
    openDialog(this.sheet, row); // the toolbar is out of sight while its row has no focus
  }

  /** Who reacted: with a finger one cannot point at an emoji to see it. */
  #tellWhose(row) {
    const chips = [...row.querySelectorAll(".chip[data-emoji]")];
    const whose = this.sheet.querySelector(".whose");
    whose.replaceChildren(...chips.map(({ dataset, title }) => element("li", `${dataset.emoji} ${title}`)));
    whose.hidden = chips.length === 0;
  }

  #quick(mine) {
    return SIX.map((emoji) => {
      const button = element("button", emoji);
      Object.assign(button, { type: "button", className: "quick", ariaPressed: String(mine.has(emoji)) });
      return button;
    });
  }

  #key(event) {
    if (event.key === "Tab") this.menu.hidePopover(); // and on from the button
    else moveIn(this.#options, event);
  }
}
