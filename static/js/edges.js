// Owns the edges of what is loaded of the log: a button each, more by itself when one comes near, and
// less at the far one when it becomes too much. Comes after the first messages.

import { rowsOf } from "./chunks.js";
import { element } from "./dom.js";
import { ANCHORS } from "./scroll.js";

const MOST = 10_000; // rows held
const SPARE = 500; // rows dropped at once beyond that: each time everything is laid out anew

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

/** Where more of the log is: before the first row of `timeline`, and after the last. */
export class Edges {
  constructor(timeline, say, title) {
    this.timeline = timeline;
    const { log, col, history } = timeline;
    const edge = (options) => new Edge({ log, say, ...options });
    this.earlier = edge({
      place: col.querySelector(".edge"),
      words: "log.earlier",
      end: say("log.start", { room: title }),
      margin: "100% 0px 0px 0px",
      beyond: () => !history.start,
      load: () => history.before(),
    });
    const place = element("div");
    place.className = "edge later";
    col.append(place);
    this.later = edge({
      place,
      words: "log.later",
      margin: "0px 0px 100% 0px",
      beyond: () => !history.present,
      load: () => history.after(),
    });
    this.show();
  }

  /** Says anew what is beyond what is loaded. */
  show() {
    this.earlier.show();
    this.later.show();
  }

  /** Level with the room: from now on they load more by themselves. */
  watch() {
    this.earlier.watch();
    this.later.watch();
  }

  /** Beyond what may be held, chunks at the far end go, many at once; never one somebody is in. */
  trim() {
    const { timeline } = this;
    if (timeline.size <= MOST) return;
    const lower = timeline.scroll.upper; // the end is far
    const gone = this.#spare(timeline.size - MOST + SPARE, lower);
    if (gone.length === 0) return;
    this.#lighten(() => gone.forEach((chunk) => chunk.remove()));
    timeline.lose(gone.flatMap(rowsOf));
    if (lower) timeline.model.trim(0, timeline.newest);
    else timeline.model.trim(timeline.oldest, Infinity);
    timeline.history.show();
  }

  /** Takes rows away above what is shown. Done by the engine's own anchoring where there is one: it
   *  knows that nothing on the screen moves, and reports no shift. It does so with the next frame;
   *  whoever holds the list still before that has to put it right first, and so do we if the engine
   *  did not: on a busy page it sometimes has nothing to hold on to. */
  #lighten(remove) {
    const { log, scroll } = this.timeline;
    if (!ANCHORS) return scroll.hold(remove);
    const { place } = scroll;
    log.style.overflowAnchor = "auto";
    void log.scrollHeight; // with this layout it chooses what to keep
    remove();
    scroll.top = 0; // there is less above now, but nobody scrolled up
    const done = () => {
      scroll.settle = null;
      log.style.overflowAnchor = ""; // or it would move the list once more
    };
    const settle = () => (done(), place && scroll.readFrom(place.row, place.top));
    scroll.settle = settle;
    const anchored = () => {
      if (scroll.settle !== settle) return; // put right, or more was taken away since
      const moved = place && Math.abs(scroll.downTo(place.row) - place.top);
      if (moved > log.clientHeight / 2) settle();
      else done(); // less than that is a person who scrolls
    };
    requestAnimationFrame(() => requestAnimationFrame(anchored));
  }

  /** The chunks furthest from what is shown, with `count` rows or a few more; up to one that somebody
   *  is in, or that has a row of what waits. */
  #spare(count, lower) {
    // Only the ends are looked at: other questions to a selection lay out every skipped chunk.
    const { anchorNode, focusNode } = getSelection();
    if (anchorNode !== focusNode) return [];
    const uses = [document.activeElement, anchorNode, ...this.timeline.waiting.rows];
    const { all } = this.timeline.chunks;
    const gone = [];
    let rows = 0;
    for (const chunk of lower ? all.reverse() : all) {
      const used = chunk.querySelector(".editor, .undo") || uses.some((node) => chunk.contains(node));
      if (used || rows >= count) break;
      rows += rowsOf(chunk).length;
      gone.push(chunk);
    }
    return gone;
  }
}
