// Loads more of the log, or another part of it, into the list. What is loaded, and what a page is
// worth by the time it comes, the model says. Knows no rows.

const PAGE = 50; // messages loaded at once
const MOST = 200; // messages the server gives at once

export class History {
  edges = null; // they come later

  /** `load(query)` gives a page as the model merged it; `replaced()` is called when the list shows
   *  another part of the log. */
  constructor({ timeline, model, load, replaced }) {
    Object.assign(this, { timeline, model, load, replaced });
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
    return { limit: PAGE, ...(around && { around }) };
  }

  /** What is loaded is others than before, at an edge. */
  show() {
    this.timeline.scroll.open = !this.present;
    this.edges?.show();
  }

  before() {
    return this.#extend({ before: this.model.from, limit: PAGE });
  }

  after() {
    return this.#extend({ after: this.model.to, limit: PAGE });
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

  /** False if the page is of no use by now. */
  async #extend(query) {
    const page = await this.load(query);
    if (!page) return false;
    this.timeline.add(page.messages);
    this.timeline.scroll.open = !this.present;
    return true;
  }
}
