// Owns what the line brings until it is shown: messages gathered for a frame, who came, who types.

const STILL = 100; // ms without a frame

export class News {
  #arrived = []; // messages that wait for the next frame

  /** `pages`: where history is; `later(use)` calls `use` with the parts of the page that can wait. */
  constructor({ you, timeline, reading, outbox, say, pages, later }) {
    Object.assign(this, { you, timeline, reading, outbox, say, pages, later });
  }

  /** `fresh` is false for one that is known already: worth a look only as an answer to my own. */
  message(message, fresh) {
    this.later(({ people }) => people.typing.stopped(message.user));
    if (!fresh && message.user !== this.you.user) return;
    this.#arrived.push(message);
    if (this.#arrived.length > 1) return;
    requestAnimationFrame(() => this.takeIn());
    setTimeout(() => this.takeIn(), STILL); // a page nobody sees has no frames
  }

  /** What has arrived is of another life of the server. */
  forget() {
    this.#arrived = [];
  }

  takeIn() {
    const messages = this.#arrived;
    this.#arrived = [];
    if (messages.length === 0) return;
    this.reading.hear(messages);
    this.timeline.apply(messages);
    for (const message of messages) {
      if (message.user === this.you.user) this.outbox.heard(message);
      else this.#announce(message);
    }
    this.reading.update();
  }

  #announce(message) {
    if (!message.live || message.deleted || message.rev !== message.id) return;
    this.later(({ people }) => people.announcer.message(message));
  }

  gap(fields) {
    this.takeIn();
    if (fields.count === 0) return;
    this.reading.missed();
    this.timeline.gap(fields);
  }

  people(people) {
    this.later((parts) => parts.people.show(people));
    this.takeIn(); // what was said before somebody came stands before them
    for (const name of people.joined ?? []) {
      if (name !== this.you.name) this.timeline.note(this.say("people.joined", { name }));
    }
  }

  typing(someone) {
    if (someone.user === this.you.user) return;
    this.later(({ people: { typing } }) => (someone.stopped ? typing.stopped(someone.user) : typing.heard(someone)));
  }

  /** A page of history. */
  async load(query) {
    const headers = { Accept: "application/json" };
    const answer = await fetch(`${this.pages}?${new URLSearchParams(query)}`, { headers });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = await answer.json();
    for (const { cid } of page.messages) if (cid) this.outbox.heard({ cid }); // not the text: it may be old
    this.reading.hear(page.messages);
    return page;
  }
}
