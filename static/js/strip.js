// Owns the one line under the header that says whether messages go out.

import { clone } from "./dom.js";

const BLIP = 2_500; // ms a lost line stays unmentioned
const UNPLUGGED = 500; // ms, when the machine itself says it has no network
const BACK = 1_500; // ms "Back online" is shown
const BRIEF = 6_000; // ms other news are shown

const TROUBLES = {
  connecting: { key: "conn.connecting" },
  offline: { key: "conn.offline", button: "conn.try", act: "retry" },
  blocked: { key: "conn.blocked", button: "conn.try", act: "retry" },
  removed: { key: "conn.removed", kind: "bad" },
  replaced: { key: "conn.replaced", button: "conn.here", act: "resume" },
};
const UPDATED = { key: "conn.updated", kind: "good", button: "conn.reload", act: "reload" };

/** One line under the header: trouble once it lasts, good news for a moment, or what still stands. */
export class Strip {
  #timer = 0;
  #since = 0; // when the trouble began
  #wrong = null; // the notice of a trouble that lasts
  #busy = false; // with something that must not be talked over

  /** `standing()`: {failed, updated}, what is so while all is well; `acts`: what the buttons do. */
  constructor({ say, hold, standing, acts }) {
    Object.assign(this, { say, hold, standing, acts, place: document.querySelector(".conn") });
  }

  /** The line is in this state now. */
  connected(state) {
    if (state === "online") this.#over();
    else if (TROUBLES[state]) this.#trouble(TROUBLES[state]);
  }

  /** `notice`: {key, values, kind, button, act}, where `act` may be a function too. */
  brief(notice, time = BRIEF) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#put(notice);
    this.#timer = setTimeout(() => {
      this.#busy = Boolean(this.#wrong);
      if (this.#wrong) this.#put(this.#wrong);
      else this.refresh();
    }, time);
  }

  /** What is wrong from now on, and stays so. */
  stays(notice) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#put((this.#wrong = notice));
  }

  refresh() {
    if (this.#busy) return;
    const { failed, updated } = this.standing();
    const many = { key: "conn.failed", kind: "bad", values: { n: failed }, button: "conn.try_all", act: "tryAll" };
    this.#put(failed > 1 ? many : updated ? UPDATED : null);
  }

  /** Said only once the trouble has lasted: blips are nobody's business. */
  #trouble(notice) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#wrong = notice;
    this.#since ||= Date.now();
    const patience = navigator.onLine ? BLIP : UNPLUGGED;
    this.#timer = setTimeout(() => this.#put(notice), this.#since + patience - Date.now());
  }

  #over() {
    clearTimeout(this.#timer);
    this.#busy = false;
    this.#wrong = null;
    this.#since = 0;
    if (this.place.querySelector(".trouble")) this.brief({ key: "conn.back", kind: "good" }, BACK);
    else this.refresh();
  }

  #put(notice) {
    const text = notice ? this.say(notice.key, notice.values) : "";
    if (this.place.querySelector("span")?.textContent === text || (!notice && !this.place.firstChild)) return;
    const held = this.place.querySelector(":focus-visible");
    this.hold(() => this.place.replaceChildren(...(notice ? [this.#make(notice, text)] : [])));
    if (held) document.querySelector(".msg[tabindex='0']")?.focus({ preventScroll: true });
  }

  #make({ kind = "trouble", button, act }, text) {
    const strip = clone("strip");
    strip.classList.add(kind);
    strip.querySelector("span").textContent = text;
    const pressed = strip.querySelector("button");
    pressed.hidden = !button;
    if (button) pressed.textContent = this.say(button);
    pressed.addEventListener("click", this.acts[act] ?? act);
    return strip;
  }
}
