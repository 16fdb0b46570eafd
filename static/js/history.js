// Owns the upper edge of the log: asking for more of the history.

import { element } from "./dom.js";

/** The upper edge: the button "Earlier messages", pressed by itself when one comes near. */
export class Earlier {
  #busy = false;
  #near = null;

  /** `load()` shows the page before what is shown and returns whether there are more. */
  constructor({ log, place, say, start, load }) {
    Object.assign(this, { log, place, say, start, load });
    place.addEventListener("click", ({ target }) => target.closest("button") && this.more());
    if (!start) this.offer();
  }

  /** From now on without a press; not before the page has what it needs to begin with. */
  watch() {
    if (this.#near || !globalThis.IntersectionObserver) return;
    // The last entry: when frames are late, one call brings what was true before as well.
    const near = (edges) => edges.at(-1).isIntersecting && !this.failed && this.more();
    this.#near = new IntersectionObserver(near, { root: this.log, rootMargin: "100% 0px 0px 0px" });
    this.#near.observe(this.place);
  }

  offer(words = "log.earlier") {
    this.start = false;
    this.failed = words !== "log.earlier";
    const button = element("button", this.say(words));
    button.className = "lk";
    this.place.replaceChildren(button);
    this.#near?.unobserve(this.place); // seen anew, it says again whether it is near
    this.#near?.observe(this.place);
  }

  end(words) {
    this.start = true;
    this.place.replaceChildren(element("p", words));
  }

  async more() {
    if (this.start || this.#busy) return;
    this.#busy = true;
    this.log.ariaBusy = "true";
    try {
      if (await this.load()) this.offer();
    } catch {
      this.offer("log.failed");
    } finally {
      this.#busy = false;
      this.log.ariaBusy = "false";
    }
  }
}
