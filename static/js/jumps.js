// Leads from a quote to the message itself, and back to where one was. Fetched with the first press on a quote.

const TINTED = 1_200; // ms

export class Jumps {
  #origins = []; // {id, top}: where one came from, the last one last; px below the upper edge

  /** `lost()`: there is no such message. */
  constructor({ timeline, lost }) {
    Object.assign(this, { timeline, lost, button: document.querySelector(".return") });
    timeline.log.addEventListener("scroll", () => this.#passed(), { passive: true });
    this.button.addEventListener("click", () => this.#back());
  }

  /** Shows the message `id` and tints it; one came to it from the row `from`. */
  async to(id, from) {
    const { top } = this.timeline.log.getBoundingClientRect();
    const origin = { id: Number(from.dataset.id), top: from.getBoundingClientRect().top - top };
    const row = await this.#find(id);
    if (!row) return row === undefined && this.lost();
    if (!this.#isShown(row)) this.timeline.scroll.readFrom(row);
    this.#origins.push(origin);
    this.#reach(row);
    row.classList.add("reached");
    setTimeout(() => row.classList.remove("reached"), TINTED);
    this.#passed();
  }

  /** Ids mean other messages now. */
  clear() {
    this.#origins = [];
    this.#offer();
  }

  async #back() {
    const { id, top } = this.#origins.at(-1);
    const row = await this.#find(id);
    if (row === null) return; // the line is down
    this.#origins.pop();
    if (row) {
      this.timeline.scroll.readFrom(row, top);
      this.#reach(row);
    }
    this.#passed();
  }

  /** A message, loaded or not; undefined if there is none, null if the line is down. */
  async #find(id) {
    const { timeline } = this;
    const there = timeline.row(id) ?? (await timeline.history.around(id).catch(() => null));
    return there === null ? null : timeline.row(id);
  }

  #reach(row) {
    this.timeline.stop.set(row);
    row.focus({ preventScroll: true });
  }

  #isShown(row) {
    const { top, bottom } = this.timeline.log.getBoundingClientRect();
    const box = row.getBoundingClientRect();
    return box.top >= top && box.bottom <= bottom;
  }

  /** Where one came from is not offered once one is there again, or has gone on to the end. */
  #passed() {
    if (this.#origins.length === 0) return this.#offer();
    const { scroll } = this.timeline;
    const there = ({ id }) => this.timeline.row(id) && this.#isShown(this.timeline.row(id));
    if (scroll.stuck) this.#origins = [];
    while (this.#origins.length > 0 && there(this.#origins.at(-1))) this.#origins.pop();
    this.#offer();
  }

  #offer() {
    const none = this.#origins.length === 0;
    if (none && this.button === document.activeElement) this.timeline.stop.row?.focus({ preventScroll: true });
    this.button.hidden = none;
  }
}
