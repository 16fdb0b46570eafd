// Owns where in the log one is: sticking to the end, never moving what is being read, what was
// read because of it, asking for more at the upper edge, and the chunks that rows stand in. One
// model for engines with and without scroll anchoring. Knows rows only as boxes, not what is said.

import { element } from "./format.js";

const NEAR = 48; // px from the end that still count as the end
const SETTLING = 10; // frames in which a new width may still move things
const TELL_AFTER = 300; // ms in which what was read is gathered
const CHUNK = 50; // rows drawn or skipped together
const ANCHORS = CSS.supports("overflow-anchor", "none"); // absent on iOS, where inertia must be cut
const attentive = () => document.visibilityState === "visible" && document.hasFocus();

export const rowsOf = (chunk) => [...chunk.children].filter((part) => part.matches(".msg"));

/** The row before ("previous") or after ("next"), across chunks. */
export function neighbour(row, side) {
  const step = `${side}ElementSibling`;
  for (let node = row[step]; node; node = node[step]) if (node.matches(".msg")) return node;
  return rowFrom(row.parentElement[step], side);
}

/** The first row in this chunk or the ones after it ("next"), or the last in those before. */
function rowFrom(chunk, side) {
  for (let at = chunk; at?.matches(".chunk"); at = at[`${side}ElementSibling`]) {
    const found = rowsOf(at).at(side === "next" ? 0 : -1);
    if (found) return found;
  }
  return null;
}

/** The rows, each in a chunk of at most 50. `top` is what the first chunk comes after. */
export class Chunks {
  constructor(top, scroll) {
    Object.assign(this, { top, scroll, col: top.parentElement });
  }

  get all() {
    return [...this.col.children].filter((part) => part.matches(".chunk"));
  }

  get first() {
    return rowFrom(this.top.nextElementSibling, "next");
  }

  get last() {
    return rowFrom(this.col.lastElementChild, "previous");
  }

  clear() {
    for (const chunk of this.all) chunk.remove();
  }

  /** A new first chunk with these rows. */
  prepend(rows) {
    const chunk = this.#make(this.top);
    chunk.append(...rows);
    return chunk;
  }

  /** Puts a line that is no row at the end. */
  append(line) {
    (this.all.at(-1) ?? this.#make(this.top)).append(line);
  }

  /** Puts a row after `previous`, and after the lines there that stand for something before `id`. */
  place(row, previous, id) {
    const chunk = previous?.parentElement ?? this.#withRoom(null);
    let after = previous;
    let line = after ? after.nextElementSibling : chunk.firstElementChild;
    for (; Number(line?.dataset.to) < id; line = line.nextElementSibling) after = line;
    if (!after) return chunk.prepend(row);
    const full = rowsOf(chunk).length >= CHUNK;
    if (full && !after.nextElementSibling) return this.#withRoom(chunk).prepend(row);
    after.after(row);
    if (full) this.#split(chunk);
  }

  /** The chunk after `chunk`, or the first one; made where there is none with room. */
  #withRoom(chunk) {
    const next = chunk ? chunk.nextElementSibling : this.all[0];
    if (next && rowsOf(next).length < CHUNK) return next;
    const settled = chunk?.previousElementSibling; // out of sight by now: skipping it shifts nothing
    if (settled?.matches(".chunk")) this.scroll.measure(settled);
    return this.#make(chunk ?? this.top);
  }

  #make(before) {
    const made = element("div");
    made.className = "chunk";
    before.after(made);
    return made;
  }

  #split(chunk) {
    const half = rowsOf(chunk)[CHUNK / 2];
    const made = this.#make(chunk);
    while (half.nextSibling) made.append(half.nextSibling);
    this.scroll.measure(chunk);
    this.scroll.measure(made);
  }
}

/** `changed()` is called when `stuck` changes. */
export class Scroll {
  stuck = true;
  #top = 0;
  #width = 0;
  #anchor = null; // {row, top}: what is being read

  constructor(log, changed) {
    Object.assign(this, { log, col: log.firstElementChild, changed });
    log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    const observer = new ResizeObserver(() => this.#resized());
    observer.observe(log);
    observer.observe(this.col);
  }

  toEnd() {
    this.#setStuck(true);
    this.#stick();
  }

  /** Shows `element` at a quarter of the height, to be read from there on. */
  readFrom(element) {
    const { top, height } = this.log.getBoundingClientRect();
    this.log.scrollTop += element.getBoundingClientRect().top - top - height / 4;
    this.#top = this.log.scrollTop;
    this.#setStuck(this.#gap() <= NEAR);
    this.#remember();
  }

  /** Is the box of `element` above what is shown? */
  isAbove(element) {
    return element.getBoundingClientRect().top < this.log.getBoundingClientRect().top;
  }

  /** Runs `change`, and what was being read stays where it was on the screen. */
  hold(change) {
    if (this.stuck) return change(); // the observers stick again before the next paint
    const seen = this.#visible().map((row) => [row, row.getBoundingClientRect().top]);
    change();
    const still = seen.find(([row]) => row.isConnected);
    if (!still) return;
    this.#cutInertia();
    this.log.scrollTop += still[0].getBoundingClientRect().top - still[1];
    this.#top = this.log.scrollTop;
    this.#remember();
  }

  /** Inserts older chunks: measured before any of them may be skipped, so nothing drifts later. */
  holdWhile(insert) {
    let chunks = [];
    this.hold(() => (chunks = insert()));
    for (const chunk of chunks) this.measure(chunk);
  }

  /** From now on the engine may skip a chunk, knowing how tall it is. */
  measure(chunk) {
    chunk.classList.remove("measured");
    const { height } = chunk.getBoundingClientRect();
    chunk.style.containIntrinsicBlockSize = `auto ${height}px`;
    chunk.classList.add("measured");
  }

  #gap() {
    return this.log.scrollHeight - this.log.clientHeight - this.log.scrollTop;
  }

  #stick() {
    this.log.scrollTop = this.log.scrollHeight;
    this.#top = this.log.scrollTop;
  }

  #setStuck(stuck) {
    if (this.stuck === stuck) return;
    this.stuck = stuck;
    this.log.dataset.stuck = stuck;
    this.changed();
  }

  // Only a scroll upwards lets go of the end: content that grows also makes the gap larger.
  #scrolled() {
    const top = this.log.scrollTop;
    const up = top < this.#top;
    this.#top = top;
    if (this.#gap() <= NEAR) this.#setStuck(true);
    else if (up) this.#setStuck(false);
    this.#remember();
  }

  #resized() {
    if (this.stuck) this.#stick();
    const width = this.log.clientWidth;
    if (this.#width && width !== this.#width && !this.stuck) this.#settle(this.#anchor, SETTLING);
    this.#width = width;
  }

  #settle(anchor, frames) {
    if (!anchor?.row.isConnected || this.stuck || frames === 0) return;
    const { top } = this.log.getBoundingClientRect();
    this.log.scrollTop += anchor.row.getBoundingClientRect().top - top - anchor.top;
    this.#top = this.log.scrollTop;
    requestAnimationFrame(() => this.#settle(anchor, frames - 1));
  }

  #remember() {
    const [row] = this.stuck ? [] : this.#visible();
    const { top } = this.log.getBoundingClientRect();
    this.#anchor = row ? { row, top: row.getBoundingClientRect().top - top } : null;
  }

  /** The rows on the screen, top to bottom. */
  #visible() {
    const { top, bottom } = this.log.getBoundingClientRect();
    const shown = (element) => {
      const box = element.getBoundingClientRect();
      return box.bottom > top && box.top < bottom;
    };
    return [...this.col.children]
      .filter((part) => part.matches(".chunk") && shown(part))
      .flatMap((chunk) => [...chunk.children].filter((row) => row.matches(".msg") && shown(row)));
  }

  #cutInertia() {
    if (ANCHORS) return;
    this.log.style.overflowY = "hidden";
    requestAnimationFrame(() => (this.log.style.overflowY = ""));
  }
}

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

/** What was read: visible, focused, at the end, painted. Keeps the title, the pill, the divider. */
export class Reading {
  #away = false;
  #counted = -1; // unseen messages that title, icon and pill speak of
  #telling = 0;
  #icon = document.querySelector("link[rel=icon]");
  #plain = { title: document.title, icon: this.#icon.href };

  constructor({ timeline, say, storage, key, unreadIcon, tell }) {
    Object.assign(this, { timeline, say, storage, key, unreadIcon, tell });
    this.pill = document.querySelector(".latest");
    this.read = Number(storage.getItem(key)) || timeline.newest;
    storage.setItem(key, this.read);
    this.pill.addEventListener("click", () => timeline.scroll.toEnd());
    this.#away = !attentive();
  }

  /** Something arrived, was scrolled to, or the person came back. */
  update() {
    // What is read in the next frame is not counted before: title and icon would flash.
    if (attentive() && this.timeline.scroll.stuck) requestAnimationFrame(() => this.#mark());
    else this.#count();
  }

  /** The page is looked at again, or for the first time: shows where the new part begins. */
  returned() {
    if (!attentive()) return (this.#away = true), this.update();
    if (this.#away) this.divide();
    this.#away = false;
    this.update();
  }

  divide() {
    this.timeline.divide(this.read);
  }

  /** The messages are others now (a backup came back): begin with what there is. */
  restart() {
    this.read = this.timeline.newest;
    this.storage.setItem(this.key, this.read);
    this.update();
  }

  /** Another tab has read up to `id`. */
  upTo(id) {
    this.read = Math.max(this.read, id);
    this.#count();
  }

  #mark() {
    const { newest, scroll } = this.timeline;
    if (newest > this.read && attentive() && scroll.stuck) {
      this.read = newest;
      this.storage.setItem(this.key, newest);
      this.#telling ||= setTimeout(() => this.#tell(), TELL_AFTER);
    }
    this.#count();
  }

  #tell() {
    this.#telling = 0;
    this.tell(this.read);
  }

  #count() {
    const { length } = this.timeline.unseen(this.read);
    this.pill.hidden = length === 0 || this.timeline.scroll.stuck;
    if (length === this.#counted) return;
    this.#counted = length;
    const shown = length > 99 ? "99+" : length;
    const { title, icon } = this.#plain;
    document.title = length ? this.say("badge.title", { count: shown, title }) : title;
    this.#icon.href = length ? this.unreadIcon : icon;
    if (length) navigator.setAppBadge?.(length);
    else navigator.clearAppBadge?.();
    const words = this.say("log.pill", { n: length });
    this.pill.querySelector("span").textContent = length > 99 ? words.replace(length, shown) : words;
  }
}
