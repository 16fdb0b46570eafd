// Owns the rows of my messages that wait in the outbox and have no id yet; my changes to those that
// have one are changes.js.

export class Waiting {
  changes = null; // they come later
  status = null; // so does the line in a row that says how far it is
  called = null; // and the names in a text, as far as the page knows people
  #rows = new Map(); // cid -> row

  constructor(timeline) {
    this.timeline = timeline;
  }

  get rows() {
    return [...this.#rows.values()];
  }

  /** The row of my message that has no id yet. */
  row(cid) {
    return this.#rows.get(cid);
  }

  /** The row waits no longer. */
  release(cid, row) {
    if (this.#rows.get(cid) === row) this.#rows.delete(cid);
  }

  clear() {
    this.#rows.clear();
  }

  /** Shows what waits: messages at the end, changes in their rows. */
  show(entries, online) {
    const { timeline } = this;
    const said = entries.filter(({ command }) => command === "say");
    const cids = new Set(said.map(({ cid }) => cid));
    timeline.scroll.hold(() => {
      for (const [cid, row] of this.#rows) if (!cids.has(cid)) timeline.drop(row);
      for (const entry of said) this.#showMessage(entry, online);
      this.changes?.show(entries, online);
    });
    timeline.tidy();
  }

  #showMessage(entry, online) {
    const { cid, fields, at } = entry;
    const { user, name, color } = this.timeline.you;
    const row = this.#rows.get(cid) ?? this.timeline.append({ cid, ...fields, at, user, name, color, mentions: this.called?.(fields.text) });
    this.#rows.set(cid, row);
    row.dataset.state = entry.failed ? "failed" : online ? "pending" : "queued";
    this.status?.show(row, entry);
  }
}
