// Owns the rows of my messages that wait in the outbox and have no id yet; my changes to those that
// have one are changes.js.

import { clone, element } from "./dom.js";
import { keepFocus } from "./row.js";

const TICK = 1_000; // ms between two looks at a countdown

export class Waiting {
  changes = null; // they come later
  called = null; // the names in a text, as far as the page knows people: the same
  #rows = new Map(); // cid -> row
  #ticking = 0;

  constructor(timeline, say) {
    Object.assign(this, { timeline, say });
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
    clearTimeout(this.#ticking);
    if (entries.some(({ retryAt }) => retryAt > Date.now())) {
      this.#ticking = setTimeout(() => this.show(entries, online), TICK);
    }
  }

  #showMessage(entry, online) {
    const { cid, fields, at } = entry;
    const { user, name, color } = this.timeline.you;
    const row = this.#rows.get(cid) ?? this.timeline.append({ cid, ...fields, at, user, name, color, mentions: this.called?.(fields.text) });
    this.#rows.set(cid, row);
    row.dataset.state = entry.failed ? "failed" : online ? "pending" : "queued";
    const line = statusLine(row.dataset.state, entry, this.say);
    const old = row.querySelector(".st");
    if (old?.textContent === line.textContent) return;
    keepFocus(row, () => old?.remove());
    addStatus(row, line);
  }
}

export function addStatus(row, line) {
  line.id = `${row.id}s`; // part of the row's name
  row.append(line);
}

/** The line under a message that is not yet sent. */
export function statusLine(state, { command, failed, retryAt, detail }, say) {
  if (state === "failed") {
    const line = clone("failed");
    line.querySelector(".why").textContent = say("message.not_sent", { detail: failed });
    line.querySelector(".take").hidden = command === "delete"; // there is no text to take back
    return line;
  }
  if (state === "queued") return clone("waiting");
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  const text = seconds > 0 ? say("message.slow", { detail, n: seconds }) : say("message.sending");
  const line = element("p", text);
  line.className = seconds > 0 ? "st" : "st sending";
  return line;
}
