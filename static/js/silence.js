// Owns the message box while the person may not write: why, until when, and that what was typed stays.
// It ends by itself. Comes after the first messages; the server has said the same in the page.

import { barredBy } from "./rules.js";
import { untilOf } from "./times.js";

const FOREVER = 253_402_300_800_000; // ms: the end of time, on the wire
const LONGEST = 2 ** 31 - 1; // ms that a timer can wait
const { dataset } = document.documentElement; // `barred`: what is only done by writing is not offered

/** Keeps what the person is, as the line tells it; `boot.standing` is what they are now. */
export function wireSilence({ boot, composer, header, on, say }, tell) {
  const silence = new Silence({ composer, settings: () => header.settings, standing: boot.standing, say, tell });
  header.on(() => silence.show());
  on.standing = (standing) => {
    silence.standing = boot.standing = standing;
    header.show();
  };
  const { welcome } = on;
  on.welcome = (told) => (welcome(told), on.standing(told.standing));
}

export class Silence {
  #timer = 0;
  #muted; // as it was when this was last looked at

  /** `standing` is what the person is, `settings()` what holds in the room; `tell` is for who listens. */
  constructor({ composer, settings, standing, say, tell }) {
    Object.assign(this, { composer, settings, standing, say, tell });
    this.place = composer.form.querySelector(".barred");
    this.show();
  }

  /** As it is now. */
  show() {
    const barred = barredBy(this.standing, this.settings(), Date.now());
    const words = barred ? this.#words(barred) : "";
    const { form, area } = this.composer;
    this.place.hidden = !barred;
    this.place.lastElementChild.textContent = words;
    if (barred) form.dataset.barred = dataset.barred = this.place.id;
    else delete form.dataset.barred, delete dataset.barred;
    area.readOnly = Boolean(barred);
    this.composer.measure();
    const muted = barred?.until ?? 0; // of what the room's settings bring, the quiet line tells
    if (this.#muted !== undefined && this.#muted !== muted) this.tell(words || this.say("barred.over"));
    this.#muted = muted;
    this.#wake(muted || Infinity);
  }

  #words({ why, until }) {
    if (why !== "muted") return this.say(`barred.${why}`);
    if (until >= FOREVER) return this.say("barred.ever");
    return this.say("barred.muted", { time: untilOf(until) });
  }

  /** The time may be over while nobody says so. */
  #wake(until) {
    clearTimeout(this.#timer);
    const left = until - Date.now();
    if (left < LONGEST) this.#timer = setTimeout(() => this.show(), left + 1);
  }
}
