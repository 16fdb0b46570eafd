// Owns what the draft answers, on disk, and the bar in the message box that says so. The message itself
// is sent by main.js. Comes after the first messages.

import { clone } from "./dom.js";

export class Replying {
  #bar = clone("replying");

  /** `key`: where it is kept, as {reply, epoch}. */
  constructor({ composer, model, quotes, storage, key }) {
    Object.assign(this, { composer, model, quotes, storage, key });
    this.#bar.querySelector("button").addEventListener("click", () => this.cancel());
    composer.area.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || event.isComposing || event.defaultPrevented || !this.id) return;
      event.preventDefault();
      this.cancel();
    });
    addEventListener("storage", (event) => storage.own(event.key) === key && this.show());
    this.show();
  }

  /** The id of the message that is answered; undefined if none is. */
  get id() {
    const { reply, epoch } = this.storage.read(this.key, {});
    return epoch === this.model.epoch ? reply : undefined;
  }

  /** From now on the draft answers this message. */
  begin(reply) {
    this.storage.write(this.key, { reply, epoch: this.model.epoch });
    this.show();
    this.composer.focus();
  }

  cancel() {
    this.storage.remove(this.key);
    this.show();
    this.composer.focus();
  }

  /** Says what is answered, as that is now. */
  show() {
    const { id } = this;
    const { area } = this.composer;
    if (!id) {
      this.#bar.remove();
      return area.removeAttribute("aria-describedby");
    }
    const { who = "", color, what, gone } = this.quotes.of(id) ?? { what: "…" };
    this.#bar.className = gone ? "replying gone" : `replying a${color}`;
    this.#bar.querySelector(".who").textContent = who;
    this.#bar.querySelector(".between").hidden = !who;
    this.#bar.querySelector(".what").textContent = what;
    if (!this.#bar.isConnected) area.parentElement.prepend(this.#bar);
    area.setAttribute("aria-describedby", this.#bar.id);
  }
}
