// Owns where in the log one is: sticking to the end, never moving what is being read. One model for
// engines with and without scroll anchoring. Knows rows only as boxes, not what is said.

const NEAR = 48; // px from the end that still count as the end
const FAR = 2; // screens from the end from where a way back is shown
const SETTLING = 10; // frames in which a new width may still move things
export const ANCHORS = CSS.supports("overflow-anchor", "none"); // absent on iOS, where inertia must be cut

/** `changed()` is called when `stuck` or `far` changes. */
export class Scroll {
  stuck = true;
  far = false; // more than two screens from the end
  open = false; // the list goes on beyond its end: nothing sticks to it
  top = 0; // where it was scrolled to: less than that is upwards
  settle = null; // called before it is held: rows were taken away above
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

  /** What is being read: {row, top}, px below the upper edge; null at the end. */
  get place() {
    return this.stuck ? null : this.#anchor;
  }

  /** How far below the upper edge is `element`? */
  downTo(element) {
    return element.getBoundingClientRect().top - this.log.getBoundingClientRect().top;
  }

  /** Shows `element` so far below the upper edge, at a quarter of the height if not told otherwise. */
  readFrom(element, down = this.log.clientHeight / 4) {
    this.log.scrollTop += this.downTo(element) - down;
    this.top = this.log.scrollTop;
    this.#judge();
    this.#remember();
  }

  /** Is the box of `element` above what is shown? */
  isAbove(element) {
    return this.downTo(element) < 0;
  }

  /** Is the upper half shown? */
  get upper() {
    return !this.stuck && this.log.scrollTop < this.#gap();
  }

  /** Runs `change`, and what was being read stays where it was on the screen: the row in hand, the
   *  end, or the first row that is shown. */
  hold(change, hand = this.#inHand()) {
    this.settle?.();
    if (this.stuck && !hand) return change(); // the observers stick again before the next paint
    const rows = hand ? [hand] : this.#visible();
    const seen = rows.map((row) => [row, row.getBoundingClientRect().top]);
    change();
    const still = seen.find(([row]) => row.isConnected);
    if (!still) return;
    this.#cutInertia();
    this.log.scrollTop += still[0].getBoundingClientRect().top - still[1];
    this.top = this.log.scrollTop;
    if (hand) this.#judge();
    this.#remember();
  }

  /** Inserts older chunks: measured before any of them may be skipped, so nothing drifts later. */
  holdWhile(insert) {
    let chunks = [];
    this.hold(() => (chunks = insert()));
    for (const chunk of chunks) this.measure(chunk);
  }

  /** From now on the engine may skip a chunk, knowing how tall it is. Not one that is on the screen:
   *  told so it takes its rows away for a moment, and reports that they shifted. */
  measure(chunk) {
    if (this.#shows(chunk)) return;
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
    this.top = this.log.scrollTop;
  }

  /** Is this the end? Not if the list goes on beyond it. */
  #judge(stuck = this.#gap() <= NEAR) {
    this.#setStuck(stuck && !this.open);
  }

  #setStuck(stuck) {
    const far = !stuck && this.#gap() > FAR * this.log.clientHeight;
    if (this.stuck === stuck && this.far === far) return;
    Object.assign(this, { stuck, far });
    this.log.dataset.stuck = stuck;
    this.changed();
  }

  // Only a scroll upwards lets go of the end: content that grows also makes the gap larger.
  #scrolled() {
    const top = this.log.scrollTop;
    const up = top < this.top;
    this.top = top;
    if (this.#gap() <= NEAR) this.#judge(true);
    else this.#judge(this.stuck && !up);
    this.#remember();
  }

  #resized() {
    const hand = this.stuck ? this.#inHand() : null;
    if (hand?.querySelector(".editor")) hand.scrollIntoView({ block: "nearest" });
    else if (this.stuck && !hand) this.#stick();
    const width = this.log.clientWidth;
    if (this.#width && width !== this.#width && !this.stuck) this.#settle(this.#anchor, SETTLING);
    this.#width = width;
  }

  #settle(anchor, frames) {
    if (!anchor?.row.isConnected || this.stuck || frames === 0) return;
    this.log.scrollTop += this.downTo(anchor.row) - anchor.top;
    this.top = this.log.scrollTop;
    requestAnimationFrame(() => this.#settle(anchor, frames - 1));
  }

  #remember() {
    const [row] = this.stuck ? [] : this.#visible();
    this.#anchor = row ? { row, top: this.downTo(row) } : null;
  }

  /** The rows on the screen, top to bottom. */
  #visible() {
    return [...this.col.children]
      .filter((part) => part.matches(".chunk") && this.#shows(part))
      .flatMap((chunk) => [...chunk.children].filter((row) => row.matches(".msg") && this.#shows(row)));
  }

  #shows(element) {
    const { top, bottom } = this.log.getBoundingClientRect();
    const box = element.getBoundingClientRect();
    return box.bottom > top && box.top < bottom;
  }

  /** The row on the screen that a person writes in, has opened something of, or selected text in. */
  #inHand() {
    // Only the ends are looked at: other questions to a selection lay out every skipped chunk.
    const { anchorNode, anchorOffset, focusNode, focusOffset } = getSelection();
    const selected = anchorNode !== focusNode || anchorOffset !== focusOffset;
    const node = document.activeElement.closest(".editor, .msg .pop") ?? this.log.querySelector(".picks") ?? (selected ? focusNode?.parentElement : null);
    const row = node?.closest(".msg");
    return row && this.log.contains(row) && this.#shows(row) ? row : null;
  }

  #cutInertia() {
    if (ANCHORS) return;
    this.log.style.overflowY = "hidden";
    requestAnimationFrame(() => (this.log.style.overflowY = ""));
  }
}
