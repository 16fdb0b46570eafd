// What times and days say when they are pointed at or printed, and their names after midnight. Comes
// after the first messages.

import { nameDay } from "./row.js";
import { clock, dayName, dayOf } from "./words.js";

const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });
const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeZone: "UTC" });
const DAY = 86_400_000; // ms

export const fullTime = (at) => FULL.format(at);

/** "16:20" of today, else with the day: "Yesterday 16:20". */
export function whenOf(at, language) {
  const [day, today] = [dayOf(at), dayOf(Date.now())];
  return day === today ? clock(at) : `${dayName(day, today, language)} ${clock(at)}`;
}

/** A time to come, in short if it is within a day. */
export const untilOf = (at) => (at - Date.now() < DAY ? clock(at) : fullTime(at));

export class Times {
  constructor(col, language) {
    Object.assign(this, { col, language });
    const print = matchMedia("print");
    print.addEventListener("change", () => print.matches && this.#date());
    this.#roll();
  }

  /** A row says when it was written, and when it was changed. */
  show(row, { at, edited }) {
    row.querySelector("time").title = fullTime(at);
    if (edited) row.querySelector(".edited").title = fullTime(edited);
  }

  get #days() {
    return this.col.querySelectorAll(".day");
  }

  /** On paper there is no today: the date of each day with everything that belongs to it. */
  #date() {
    for (const row of this.#days) row.firstElementChild.dataset.full = DATE.format((Number(row.dataset.day) + 0.5) * DAY);
  }

  /** Days are called anew at midnight: what was today is yesterday. */
  #roll() {
    const midnight = new Date();
    midnight.setHours(24, 0, 1, 0);
    setTimeout(() => {
      for (const row of this.#days) nameDay(row, this.language);
      this.#roll();
    }, midnight - Date.now());
  }
}
