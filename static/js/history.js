// Owns which part of the log is loaded: one run of messages without a hole, with more of it at an
// edge. A page is old news: what the line said while it was under way is newer. Knows no rows.

import { element } from "./dom.js";

const PAGE = 50; // messages loaded at once
const MOST = 200; // messages the server gives at once

/** Does `message` take the place of `old`, what is known of it? A damaged one never that of a sound
 *  one: its rev may be anything. */
export const supersedes = (message, old) =>
  !old || (Boolean(message.damaged) === Boolean(old.damaged) ? message.rev >= old.rev : !message.damaged);

/** An edge of what is loaded: a button, pressed by itself when one comes near. */
class Edge {
  #busy = false;
  #near = null;

  /** `load()` shows the next page and returns whether there are more. */
  constructor({ log, place, words, margin, say, load }) {
    Object.assign(this, { log, place, words, margin, say, load });
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

  offer(words = this.words) {
    this.done = false;
    this.failed = words !== this.words;
    const button = element("button", this.say(words));
    button.className = "lk";
    this.place.replaceChildren(button);
    this.#near?.unobserve(this.place); // seen anew, it says again whether it is near
    this.#near?.observe(this.place);
  }

  /** Nothing is beyond. */
  end(...words) {
    this.done = true;
    this.place.replaceChildren(...words.map((text) => element("p", text)));
  }

  async more() {
    if (this.done || this.#busy) return;
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

export class History {
  #heard = new Map(); // id -> what the line said of it while a page was under way
  #underWay = 0;
  #life = 0; // a page asked for in another life of the list is thrown away

  /** `load(query)` gives a page; `replaced()` is called when the list shows another part of the log. */
  constructor({ timeline, say, title, start, load, replaced }) {
    Object.assign(this, { timeline, say, title, load, replaced });
    const { log, col } = timeline;
    const edge = (options) => new Edge({ log, say, ...options });
    this.earlier = edge({
      place: col.querySelector(".edge"),
      words: "log.earlier",
      margin: "100% 0px 0px 0px",
      load: () => this.#loadEarlier(),
    });
    const place = element("div");
    place.className = "edge later";
    col.append(place);
    const [words, margin] = ["log.later", "0px 0px 100% 0px"];
    this.later = edge({ place, words, margin, load: () => this.#loadLater() });
    this.later.end();
    if (start) this.earlier.done = true;
    else this.earlier.offer();
  }

  /** Nothing is older than what is loaded. */
  get start() {
    return this.earlier.done;
  }

  /** Nothing is newer than what is loaded. */
  get present() {
    return this.later.done;
  }

  /** Is a message with this id among what is loaded, or next to it? */
  covers(id) {
    const { oldest, newest } = this.timeline;
    return (this.start || !oldest || id > oldest) && (this.present || id < newest);
  }

  /** What the line says is newer than any page that is under way. */
  hear(messages) {
    if (this.#underWay === 0) return;
    for (const message of messages) {
      if (supersedes(message, this.#heard.get(message.id))) this.#heard.set(message.id, message);
    }
  }

  /** Level with the room: what is not here does not exist, or is elsewhere in the log. */
  caughtUp() {
    if (!this.timeline.chunks.first && !this.start) this.#begin();
    this.earlier.watch();
    this.later.watch();
    this.timeline.tidy();
  }

  /** Forgets what was loaded: it is of another life of the server. */
  restart() {
    this.#life += 1;
    this.earlier.offer();
    this.#toPresent(true);
    this.timeline.clear();
  }

  /** The newest rows were dropped. */
  away() {
    this.#toPresent(false);
  }

  /** Loads all after `id` up to what is loaded; false if that is more than one page. */
  async from(id) {
    const page = await this.#page({ after: id, limit: MOST });
    const oldest = this.timeline.oldest;
    if (!page || (page.more && page.messages.at(-1).id < oldest)) return false;
    this.timeline.prepend(page.messages.filter((message) => message.id < oldest));
    return true;
  }

  /** Loads a message that is not there, with what stands around it; false if it does not exist. */
  async around(id) {
    const newest = this.timeline.newest;
    const page = await this.#page({ around: id, limit: PAGE });
    if (!page?.messages.some((message) => message.id === id)) return false;
    const present = this.present && page.messages.at(-1).id >= newest;
    this.#replace(page, present);
    return true;
  }

  /** Shows the newest part of the log again. */
  async latest() {
    const page = await this.#page({ limit: PAGE });
    if (page) this.#replace(page, true);
  }

  /** All changes from one rev to another, where the line left them out. */
  async changes(from, to) {
    for (let at = from; at < to; ) {
      const { messages } = await this.load({ since: at, limit: MOST });
      this.timeline.apply(messages);
      at = messages.at(-1)?.rev ?? Infinity;
    }
  }

  /** A page as it is by now. Null if the list is another by now. */
  async #page(query) {
    const life = this.#life;
    this.#underWay += 1;
    try {
      const page = await this.load(query);
      const newest = (message) => {
        const heard = this.#heard.get(message.id);
        return supersedes(message, heard) ? message : heard;
      };
      const messages = page.messages.map(newest).filter((message) => !message.deleted);
      return life === this.#life ? { ...page, messages, heard: [...this.#heard.values()] } : null;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0) this.#heard.clear();
    }
  }

  async #loadEarlier() {
    const { oldest } = this.timeline;
    if (!oldest) return true; // nothing at all yet: the connection brings the newest
    const page = await this.#page({ before: oldest, limit: PAGE });
    if (!page) return false;
    this.timeline.prepend(page.messages);
    if (!page.more) this.#begin();
    return page.more;
  }

  async #loadLater() {
    const page = await this.#page({ after: this.timeline.newest, limit: PAGE });
    if (!page) return false;
    this.timeline.take(page.messages);
    if (!page.more) this.#reachPresent(page);
    return page.more;
  }

  #replace(page, present) {
    this.#life += 1;
    this.timeline.clear();
    if (page.more) this.earlier.offer();
    else this.#begin();
    this.timeline.prepend(page.messages);
    if (present) this.#reachPresent(page);
    else this.#toPresent(false);
    this.replaced();
  }

  /** The page reaches to the newest: with what was said since it was asked for, that is all. */
  #reachPresent({ heard }) {
    this.#toPresent(true);
    this.timeline.take(heard.filter(({ id }) => this.covers(id)));
  }

  #toPresent(present) {
    if (present) this.later.end();
    else this.later.offer();
    this.timeline.scroll.open = !present;
  }

  #begin() {
    this.earlier.end(this.say("log.start", { room: this.title }));
  }
}
