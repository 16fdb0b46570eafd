// Owns what the line brings until it is shown: changes are gathered for a frame.

const STILL = 100; // ms without a frame

export class News {
  #changed = new Set(); // ids of messages to be shown anew with the next frame
  #gone = [];
  #fresh = []; // ids of messages that nobody has heard of
  #waiting = false; // for the next frame

  /** `page.later(use)` calls `use` with the parts of the page that can wait. */
  constructor(page) {
    const { timeline, reading, boot } = page;
    Object.assign(this, { timeline, reading, you: boot.you, later: (use) => page.later(use) });
  }

  /** A change, and which messages are others or no more because of it. */
  took(name, change, { changed, gone }) {
    const { id, rev, user, live } = change;
    if (name === "settings") this.later(({ header }) => header.changed(change));
    if (name === "message") this.later(({ people }) => people.typing.stopped(user));
    if (changed.length + gone.length === 0) return;
    changed.forEach((id) => this.#changed.add(id));
    this.#gone.push(...gone);
    if (name === "message" && live && rev === id && user !== this.you.user) this.#fresh.push(id);
    if (this.#waiting) return;
    this.#waiting = true;
    requestAnimationFrame(() => this.takeIn());
    setTimeout(() => this.takeIn(), STILL); // a page nobody sees has no frames
  }

  takeIn() {
    if (!this.#waiting) return;
    this.#waiting = false;
    const [changed, gone, fresh] = [[...this.#changed], this.#gone, this.#fresh];
    this.#changed.clear();
    [this.#gone, this.#fresh] = [[], []];
    const { model } = this.timeline;
    const there = (ids) => ids.map((id) => model.message(id)).filter(Boolean);
    this.reading.hear(there(changed));
    this.reading.gone(gone);
    this.timeline.update(changed, gone);
    this.later(({ notify, quotes, files }) => (notify.gone(gone), quotes.heard(changed, gone), files.heard(changed, gone)));
    for (const message of there(fresh)) this.later(({ arrived }) => arrived(message));
    this.reading.update();
  }

  /** All is loaded anew; of another history if `other`: then ids mean other messages. */
  afresh(other, epoch) {
    this.takeIn();
    if (!other) return;
    this.timeline.clear();
    this.reading.restart();
    this.later(({ actions, replying, jumps }) => (actions.begin(epoch), replying.show(), jumps.clear()));
  }

  /** What was loaded anew. */
  loaded(page) {
    this.takeIn();
    this.timeline.history.begin(page);
    this.reading.count(true);
  }

  /** Level with the room. */
  level() {
    this.takeIn();
    this.timeline.tidy();
    this.reading.count();
    this.later(({ elsewhere, edges, kept, quotes }) => (edges.watch(), elsewhere.flush(), kept.live(), quotes.fetch()));
  }
}
