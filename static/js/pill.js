// Owns the pill above the message box: how much is new, and the way there.

import { capped } from "./badge.js";

export class Pill {
  #unread = -1;
  #pill = document.querySelector(".latest");

  constructor({ reading, timeline, say }) {
    Object.assign(this, { reading, scroll: timeline.scroll, say });
    this.#pill.addEventListener("click", () => reading.go());
  }

  show() {
    const { stuck, far, open } = this.scroll;
    const { unread } = this.reading.counts;
    this.#pill.hidden = stuck || !(unread || far || open);
    if (unread === this.#unread) return;
    this.#unread = unread;
    const words = unread ? this.say("log.pill", { n: unread }) : this.say("log.back");
    this.#pill.querySelector("span").textContent = words.replace(unread, capped(unread));
    this.#pill.classList.toggle("plain", !unread);
  }
}
