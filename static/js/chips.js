// Owns the chips of staged files in the message box: what is shown of each, and which part of one was
// pressed. Knows no list and no disk but the shelf, for previews.

import { clone, element } from "./dom.js";
import { formatOf, kindOf, sizeOf } from "./kinds.js";

const OPENS = { picture: "stage.describe", audio: "stage.play", video: "stage.play" };

export class Chips {
  #list = element("ul");
  #all = new Map(); // local -> chip

  /** `pressed(name, local, button)`: "remove" or "open". */
  constructor({ area, shelf, say, pressed }) {
    Object.assign(this, { area, shelf, say });
    Object.assign(this.#list, { className: "staged", role: "list" }); // WebKit forgets it without bullets
    this.#list.ariaLabel = say("stage.label");
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault()); // a keyboard stays
    this.#list.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (button) pressed(button.matches(".remove") ? "remove" : "open", button.closest(".stage").dataset.local, button);
    });
  }

  has(local) {
    return this.#all.has(local);
  }

  /** Those that are neither being made ready nor refused. */
  get ready() {
    return [...this.#all].filter(([, chip]) => !chip.matches(".bad, [aria-busy]")).map(([local]) => local);
  }

  get refused() {
    return [...this.#all].filter(([, chip]) => chip.matches(".bad")).map(([local]) => local);
  }

  /** This name, or the next like it that no chip has. */
  free(name) {
    const taken = new Set(Array.from(this.#all.values(), (chip) => chip.querySelector(".fn").textContent));
    const [, stem, end] = /^(.*?)(\.[^.]*)?$/s.exec(name);
    let found = name;
    for (let n = 2; taken.has(found); n += 1) found = `${stem} ${n}${end ?? ""}`;
    return found;
  }

  /** A file that is being made ready. */
  begin(local, name) {
    this.#make(local, name).ariaBusy = "true";
  }

  /** It is not taken: `why` stands in its place until it is removed. */
  refuse(local, why) {
    const chip = this.#all.get(local);
    chip.ariaBusy = null;
    chip.classList.add("bad");
    chip.querySelector(".sub").textContent = why;
    seen(chip); // also past those that came after it
  }

  /** Shows an item of the list. */
  show({ local, name, about, size, ...item }) {
    const chip = this.#all.get(local) ?? this.#make(local, name);
    const kind = kindOf(item);
    chip.ariaBusy = null;
    this.#name(chip, name);
    const sub = chip.querySelector(".sub");
    const opens = OPENS[kind];
    if (!sub.firstChild) sub.append("", ...(opens ? [Object.assign(element("button"), { type: "button", className: "lk" })] : []));
    sub.firstChild.data = opens ? `${sizeOf(size)} · ` : sizeOf(size);
    if (opens) this.#offer(sub.lastChild, name, about, this.say(opens));
    if (kind === "picture" && !chip.querySelector(".pic")) this.#draw(chip, local);
  }

  #offer(button, name, about, words) {
    button.textContent = about || words;
    button.ariaLabel = about ? this.say("stage.described", { name, about }) : `${words}: ${name}`;
  }

  /** Takes a chip away; the focus, if it had it, goes to its neighbour. */
  drop(local) {
    const chip = this.#all.get(local);
    const next = chip?.nextElementSibling ?? chip?.previousElementSibling;
    const held = chip?.contains(document.activeElement);
    const image = chip?.querySelector("img");
    if (image) URL.revokeObjectURL(image.src);
    this.#all.delete(local);
    chip?.remove();
    if (this.#all.size === 0) this.#list.remove();
    if (held) (next?.querySelector(".remove") ?? this.area).focus();
  }

  #make(local, name) {
    const chip = clone("stage");
    chip.dataset.local = local;
    this.#name(chip, name);
    this.#all.set(local, chip);
    this.#list.append(chip);
    if (!this.#list.isConnected) this.area.parentElement.querySelector(".attach").before(this.#list);
    seen(chip);
    return chip;
  }

  #name(chip, name) {
    const remove = chip.querySelector(".remove");
    chip.querySelector(".fn").textContent = name;
    chip.querySelector(".kind")?.replaceChildren(formatOf({ name }, this.say)); // unless there is a picture
    remove.title = remove.ariaLabel = this.say("stage.remove", { name });
  }

  async #draw(chip, local) {
    const { preview, blob } = (await this.shelf.get(local)) ?? {};
    if (!blob || !chip.isConnected || chip.querySelector(".pic")) return;
    const image = Object.assign(element("img"), { className: "pic", alt: "", src: URL.createObjectURL(preview ?? blob) });
    chip.querySelector(".kind").replaceWith(image);
  }
}

const seen = (chip) => chip.scrollIntoView({ block: "nearest", inline: "nearest" });
