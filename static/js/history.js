// Owns the edges of what is loaded of the log, and loads more there or another part. Which part that
// is, and what a page is worth by the time it comes, the model says. Knows no rows.

import { element } from "./dom.js";

const PAGE = 50; // messages loaded at once
const MOST = 200; // messages the server gives at once

/** An edge of what is loaded: a button, pressed by itself when one comes near. */
class Edge {
  #busy = false;
  #near = null;

  /** `load()` shows the next page; false if it is of no use by now. `beyond()`: are there more? `end`
   *  is said where there are none. */
  constructor({ log, place, words, end, margin, say, beyond, load }) {
    Object.assign(this, { log, place, words, end, margin, say, beyond, load });
    place.addEventListener("click", ({ target }) => target.closest("button") && this.more());
  }

  /** From now on without a press; not before the page has what it needs to begin with. */
  watch() {
    if (this.#near || !globalThis.IntersectionObserver) return;
    // The last entry: when frames are late, one call brings what was true before as well.
    const near = (edges) => edges.at(-1).isIntersecting && !this.failed && this.more();
    this.#near = new IntersectionObserver(near, { root: this.log, rootMargin: this.margin });
    this.#near.observe(this.place);
  }

  show() {
    if (this.beyond()) this.#offer(this.words);
    else this.place.replaceChildren(...(this.end ? [element("p", this.end)] : []));
  }

  #offer(words) {
    this.failed = words !== this.words;
    const button = element("button", this.say(words));
    button.className = "lk";
    this.place.replaceChildren(button);
    this.#near?.unobserve(this.place); // seen anew, it says again whether it is near
    this.#near?.observe(this.place);
  }

  async more() {
    if (!this.beyond() || this.#busy) return;
    this.#busy = true;
    this.log.ariaBusy = "true";
    try {
      if (await this.load()) this.show();
    } catch {
      this.#offer("log.failed");
    } finally {
      this.#busy = false;
      this.log.ariaBusy = "false";
    }
  }
}

export class History {
  /** `load(query)` gives a page as the model merged it; `replaced()` is called when the list shows
   *  another part of the log. */
  constructor({ timeline, model, say, title, load, replaced }) {
    Object.assign(this, { timeline, model, load, replaced });
    const { log, col } = timeline;
    const edge = (options) => new Edge({ log, say, ...options });
    this.earlier = edge({
      place: col.querySelector(".edge"),
      words: "log.earlier",
      end: say("log.start", { room: title }),
      margin: "100% 0px 0px 0px",
      beyond: () => !this.start,
      load: () => this.#extend({ before: model.from, limit: PAGE }),
    });
    const place = element("div");
    place.className = "edge later";
    col.append(place);
    this.later = edge({
      place,
      words: "log.later",
      margin: "0px 0px 100% 0px",
      beyond: () => !this.present,
      load: () => this.#extend({ after: model.to, limit: PAGE }),
    });
  }

  /** Nothing is older than what is loaded. */
  get start() {
    return this.model.from === 0;
  }

  /** Nothing is newer than what is loaded. */
  get present() {
    return this.model.to === Infinity;
  }

  /** The page around what is being read; at the end the newest. */
  get place() {
    const around = Number(this.timeline.scroll.place?.row.dataset.id);
    return around ? { around, limit: PAGE } : { limit: PAGE };
  }

  /** Level with the room: from now on the edges load more by themselves. */
  caughtUp() {
    this.earlier.watch();
    this.later.watch();
    this.timeline.tidy();
  }

  /** Says anew what is beyond what is loaded. */
  show() {
    this.earlier.show();
    this.later.show();
    this.timeline.scroll.open = !this.present;
  }

  /** Loads all after `id` up to what is loaded; false if that is more than one page. */
  from(id) {
    return this.#extend({ after: id, limit: MOST });
  }

  /** Loads a message that is not there, with what stands around it; false if it does not exist. */
  around(id) {
    return this.#replace({ around: id, limit: PAGE });
  }

  /** Shows the newest part of the log again. */
  latest() {
    return this.#replace({ limit: PAGE });
  }

  /** Shows a page that is another part of the log. */
  begin({ messages }) {
    this.timeline.replace(messages);
    this.show();
    this.replaced();
  }

  async #replace(query) {
    const page = await this.load(query);
    if (page && !page.first) this.begin(page); // the first after all is anew is shown already
    return Boolean(page);
  }

  async #extend(query) {
    const page = await this.load(query);
    if (!page) return false;
    this.timeline.add(page.messages);
    this.timeline.scroll.open = !this.present;
    return true;
  }
}
