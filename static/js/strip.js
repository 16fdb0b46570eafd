// Owns the one line under the header that says whether messages go out.

import { clone } from "./dom.js";

const BLIP = 2_500; // ms a lost line stays unmentioned
const UNPLUGGED = 500; // ms, when the machine itself says it has no network
const BACK = 1_500; // ms "Back online" is shown

/** One line under the header: trouble once it lasts, good news for a moment, or what still stands. */
export class Strip {
  #timer = 0;
  #since = 0; // when the trouble began
  #busy = false; // with something that must not be talked over

  /** `standing()` is what to say, if anything, while all is well. */
  constructor(say, hold, standing) {
    Object.assign(this, { say, hold, standing, place: document.querySelector(".conn") });
  }

  /** Said only once the trouble has lasted: blips are nobody's business. */
  trouble(notice) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#since ||= Date.now();
    const patience = navigator.onLine ? BLIP : UNPLUGGED;
    this.#timer = setTimeout(() => this.#put(notice), this.#since + patience - Date.now());
  }

  over() {
    clearTimeout(this.#timer);
    this.#busy = false;
    this.#since = 0;
    if (this.place.querySelector(".trouble")) this.brief({ key: "conn.back", kind: "good" }, BACK);
    else this.refresh();
  }

  brief(notice, time) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#put(notice);
    this.#timer = setTimeout(() => {
      this.#busy = false;
      this.refresh();
    }, time);
  }

  refresh() {
    if (!this.#busy) this.#put(this.standing());
  }

  #put(notice) {
    const text = notice ? this.say(notice.key, notice.values) : "";
    if (this.place.querySelector("span")?.textContent === text || (!notice && !this.place.firstChild)) return;
    this.hold(() => this.place.replaceChildren(...(notice ? [this.#make(notice, text)] : [])));
  }

  #make({ kind = "trouble", button, action }, text) {
    const strip = clone("strip");
    strip.classList.add(kind);
    strip.querySelector("span").textContent = text;
    const pressed = strip.querySelector("button");
    pressed.hidden = !button;
    if (button) pressed.textContent = this.say(button);
    pressed.addEventListener("click", () => action());
    return strip;
  }
}
