// Owns the line that says who is typing.

import { clone } from "./dom.js";

const TYPING = 5_000; // ms until it is forgotten

/** Who is typing: one line, forgotten after a while, gone at once when the message lands. */
export class Typing {
  #until = new Map(); // user -> {name, timer}

  constructor(say, language) {
    Object.assign(this, { say, place: document.querySelector(".typing") });
    this.list = new Intl.ListFormat(language);
  }

  heard({ user, name }) {
    clearTimeout(this.#until.get(user)?.timer);
    this.#until.set(user, { name, timer: setTimeout(() => this.stopped(user), TYPING) });
    this.#show();
  }

  stopped(user) {
    clearTimeout(this.#until.get(user)?.timer);
    if (this.#until.delete(user)) this.#show();
  }

  #show() {
    const names = [...this.#until.values()].map(({ name }) => name);
    if (names.length === 0) return this.place.replaceChildren();
    const words =
      names.length > 3
        ? this.say("typing.several")
        : this.say("typing", { n: names.length, names: this.list.format(names) });
    if (this.place.childElementCount === 0) this.place.append(clone("dots"), document.createElement("span"));
    this.place.lastElementChild.textContent = words;
  }
}
