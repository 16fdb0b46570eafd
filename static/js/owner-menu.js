// The menus of the page for looking after the chat: one for a person, one for a room.

const STEPS = { ArrowDown: 1, ArrowUp: -1 };

export class Menus {
  #menu = null;
  #button = null;

  /** Below the button, with what may be done to what it is about. */
  open(button) {
    if (this.#button === button) return this.close();
    this.close();
    const menu = document.getElementById(button.dataset.menu).content.firstElementChild.cloneNode(true);
    const about = JSON.parse(button.dataset.about);
    for (const item of menu.querySelectorAll("[data-if]")) item.hidden = !about[item.dataset.if];
    this.#menu = menu;
    this.#button = button;
    button.after(menu);
    button.ariaExpanded = "true";
    menu.addEventListener("keydown", (event) => this.#key(event));
    this.#items[0].focus();
  }

  /** What it was about; the focus is at its button again. */
  close() {
    const [menu, button] = [this.#menu, this.#button];
    if (!menu) return {};
    this.#menu = this.#button = null;
    const inside = menu.contains(document.activeElement);
    menu.remove();
    button.ariaExpanded = "false";
    if (inside) button.focus();
    return JSON.parse(button.dataset.about);
  }

  get #items() {
    return [...this.#menu.querySelectorAll("[role=menuitem]:not([hidden])")];
  }

  #key(event) {
    const items = this.#items;
    const at = items.indexOf(document.activeElement);
    const to = { Home: 0, End: items.length - 1 }[event.key] ?? (STEPS[event.key] && at + STEPS[event.key]);
    if (["Tab", "Escape"].includes(event.key)) return this.close();
    if (to === undefined) return;
    event.preventDefault();
    items.at(to % items.length).focus();
  }
}
