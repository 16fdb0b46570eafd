// Owns the dialog of one staged file: what it is, what it is to be described as, and the size it goes
// in. All applies at once. Comes with the first press on a chip.

import { element } from "./dom.js";
import { openDialog } from "./drawers.js";
import { kindOf, sizeOf } from "./kinds.js";
import { switchRow } from "./rows.js";

const MOST = 500; // characters of a description

export class Details {
  #dialog = document.querySelector("dialog#staged");
  #address = ""; // of what is shown

  constructor(staging) {
    this.staging = staging;
    this.#dialog.addEventListener("close", () => this.#empty());
  }

  async open(local, opener) {
    const { staging } = this;
    const record = await staging.shelf.get(local);
    const item = staging.find(local);
    if (!item || !record || this.#dialog.open) return;
    this.#address = URL.createObjectURL(record.blob);
    this.#dialog.querySelector("h2").textContent = item.name;
    this.#dialog.querySelector(".part").replaceChildren(...this.#parts(item));
    openDialog(this.#dialog, opener);
  }

  #parts(item) {
    const kind = kindOf(item);
    if (kind !== "picture") return [Object.assign(element(kind), { controls: true, src: this.#address, ariaLabel: item.name })];
    const image = Object.assign(element("img"), { src: this.#address, alt: "" });
    const rows = [image, ...this.#description(item)];
    if (item.other) rows.push(this.#size(item));
    return rows;
  }

  #description({ local, about }) {
    const { say } = this.staging;
    const field = Object.assign(element("textarea"), { id: "about", className: "field", rows: 2, maxLength: MOST, value: about, dir: "auto" });
    field.autofocus = true;
    field.setAttribute("aria-describedby", "about-hint");
    field.addEventListener("input", () => this.staging.change(local, { about: field.value.replace(/\s+/g, " ").trim() }));
    field.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      this.#dialog.close();
    });
    const label = Object.assign(element("label", say("stage.about")), { htmlFor: field.id });
    const hint = Object.assign(element("p", say("stage.about_hint")), { id: "about-hint", className: "sub" });
    return [label, field, hint];
  }

  #size({ local, size, other, original }) {
    const { say, swap } = { say: this.staging.say, swap: () => this.staging.swap(local) };
    const [large, small] = original ? [size, other] : [other, size];
    const hint = say("stage.original_hint", { large: sizeOf(large), small: sizeOf(small) });
    const { node, show } = switchRow([say("stage.original"), hint], [true, false], { get: () => original, set: swap });
    show();
    return node;
  }

  #empty() {
    this.#dialog.querySelector(".part").replaceChildren();
    URL.revokeObjectURL(this.#address);
  }
}
