// Owns what a person does to messages, from the rows to the outbox and back: where a text goes that
// became no message, and what is said of one that was not sent. Comes after the first messages.

export class Deeds {
  answer = () => {}; // makes the draft an answer to a message
  stage = () => {}; // puts files into the draft
  #failed = new Set(); // cids already said to have failed

  /** `alert` and `tell` are for who listens instead of looking; `text` gives the sentences; `carry`
   *  gives an entry of the outbox to the line. */
  constructor({ composer, outbox, carry, strip, alert, tell, text }) {
    Object.assign(this, { composer, outbox, carry, strip, alert, tell, text });
  }

  edit(id, text) {
    this.outbox.add("edit", { id, text });
  }

  remove(id) {
    return this.outbox.add("delete", { id });
  }

  /** The same while the page goes, when there is no time to take turns with other tabs. */
  removeAtOnce(id) {
    const entry = this.remove(id);
    if (this.carry(entry)) this.outbox.kept.save({ ...entry, sent: Date.now() });
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

  /** A message that was not sent goes back into the box, with its files and what it answers. */
  take(cid) {
    const { reply, files } = this.outbox.entries.find((entry) => entry.cid === cid)?.fields ?? {};
    if (files) this.stage(files); // before they are released
    this.composer.restore(this.outbox.discard(cid));
    if (reply) this.answer(reply);
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

  get failed() {
    return this.outbox.entries.filter((entry) => entry.failed);
  }

  /** Says what was not sent. */
  show() {
    const { failed } = this;
    const news = failed.find(({ cid }) => !this.#failed.has(cid));
    this.#failed = new Set(failed.map(({ cid }) => cid));
    if (news) this.alert(this.text("message.alert", { detail: news.failed }));
    this.strip.refresh();
  }
}
