// Owns what a person does to messages, from the box and the rows to the outbox and back: how it is
// shown while it waits, and where a text goes that became no message.

const TINTED = 1_200; // ms a message that was looked for is tinted

export class Deeds {
  #failed = new Set(); // cids already said to have failed

  /** `alert` and `tell` are for who listens instead of looking; `text` gives the sentences. */
  constructor({ timeline, composer, outbox, reading, strip, connection, alert, tell, text }) {
    Object.assign(this, { timeline, composer, outbox, reading, strip, connection, alert, tell, text });
  }

  /** False: too many are waiting, the text stays in the box. */
  say(text) {
    if (!this.outbox.add("say", { text })) return false;
    this.reading.undivide();
    this.timeline.toEnd().catch(() => {}); // the line is down: it will be shown when it is back
    this.reading.update();
    return true;
  }

  edit(id, text) {
    this.outbox.add("edit", { id, text });
  }

  remove(id) {
    this.outbox.add("delete", { id });
  }

  again(cid) {
    this.outbox.again(cid);
  }

  tryAll() {
    this.failed.forEach(({ cid }) => this.again(cid));
  }

  discard(cid) {
    this.outbox.discard(cid);
  }

  /** A message that was not sent goes back into the box. */
  take(cid) {
    this.composer.restore(this.outbox.discard(cid));
  }

  /** So does a text whose message is gone, with a word about why. */
  give(text, detail = this.text("message.gone")) {
    this.strip.brief({ key: "conn.refused", kind: "bad", values: { detail } });
    if (text) this.composer.restore(text);
  }

  /** Something cannot be done: said to the eye and aloud. */
  warn(detail) {
    this.alert(detail);
    this.give("", detail);
  }

  leave() {
    this.composer.focus();
  }

  /** An edit or a deletion will not be done; an edit is text too, and text is never lost. */
  returned({ fields }, detail) {
    this.alert(detail);
    this.give(fields.text, detail);
  }

  /** Shows the message that the address names at a quarter of the height, loaded or not. */
  async follow() {
    const { history, scroll, stop } = this.timeline;
    const id = Number(/^#m(\d+)$/.exec(location.hash)?.[1]);
    if (!id) return;
    const there = this.timeline.row(id) || (await history.around(id).catch(() => null));
    if (there === null) return; // the line is down
    const row = this.timeline.row(id);
    if (!row) return this.warn(this.text("log.nowhere"));
    scroll.readFrom(row);
    stop.set(row);
    row.classList.add("reached");
    setTimeout(() => row.classList.remove("reached"), TINTED);
  }

  get failed() {
    return this.outbox.entries.filter((entry) => entry.failed);
  }

  /** Shows what waits and what was not sent. */
  show() {
    const { entries } = this.outbox;
    this.timeline.waiting.show(entries, this.connection.online);
    const failed = entries.filter((entry) => entry.failed);
    const news = failed.find(({ cid }) => !this.#failed.has(cid));
    this.#failed = new Set(failed.map(({ cid }) => cid));
    if (news) this.alert(this.text("message.alert", { detail: news.failed }));
    this.strip.refresh();
  }
}
