// Owns the lines in place of changes that were too many to send.

import { element } from "./dom.js";

export class Gaps {
  constructor(timeline, say) {
    Object.assign(this, { timeline, say });
  }

  /** A line below the row `above`, with a button that fetches what is left out. */
  show({ from, to, count }, above) {
    const { chunks, scroll } = this.timeline;
    const button = element("button", this.say("log.gap", { n: count }));
    button.className = "lk";
    const gap = element("div", button);
    gap.className = "gap";
    gap.dataset.to = to; // what comes next has its place below
    button.addEventListener("click", () => this.#fill(gap, from, to));
    scroll.hold(() => {
      if (above?.isConnected) above.after(gap);
      else chunks.append(gap);
    });
    this.timeline.regroup(gap.nextElementSibling);
  }

  async #fill(gap, from, to) {
    const { history, scroll } = this.timeline;
    const button = gap.firstElementChild;
    button.disabled = true;
    try {
      await history.changes(from, to);
      const after = gap.nextElementSibling;
      scroll.hold(() => gap.remove());
      this.timeline.regroup(after);
    } catch {
      button.textContent = this.say("log.failed");
      button.disabled = false;
    }
  }
}
