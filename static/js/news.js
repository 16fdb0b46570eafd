// Owns what the line brings until it is shown: messages gathered for a frame, who came, who types;
// and the quiet lines between messages that say what the line did not bring.

import { element } from "./dom.js";

const STILL = 100; // ms without a frame

export class News {
  #arrived = []; // messages that wait for the next frame
  #restarted = false; // what was shown was of another life of the server

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

  /** What has arrived and what is shown is of another life of the server. */
  afresh(epoch) {
    this.#arrived = [];
    this.#restarted = true;
    this.timeline.history.restart();
    this.outbox.epoch = epoch;
    this.later(({ editor }) => editor.begin(epoch));
  }

  /** Level with the room: what waits can go out. */
  level() {
    this.takeIn();
    this.timeline.history.caughtUp();
    this.reading.count();
    if (this.#restarted) this.reading.restart();
    this.#restarted = false;
    this.outbox.flush();
    this.later(({ elsewhere }) => elsewhere.flush());
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
    const above = this.timeline.lastSent; // by the time there are gaps, more may have come
    this.later(({ gaps }) => gaps.show(fields, above));
  }

  /** A quiet line after the newest message, which no message belongs to. */
  #note(text) {
    const { chunks, newest, scroll } = this.timeline;
    const note = element("p", text);
    note.className = "note";
    note.dataset.to = newest; // what comes next has its place below
    scroll.hold(() => chunks.append(note));
  }

  people(people) {
    this.later((parts) => parts.people.show(people));
    this.takeIn(); // what was said before somebody came stands before them
    for (const name of people.joined ?? []) {
      if (name !== this.you.name) this.#note(this.say("people.joined", { name }));
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
