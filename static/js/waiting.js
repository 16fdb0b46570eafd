// Owns the rows of what waits in the outbox: my messages that have no id yet, and my changes to
// messages that have one.

import { clone, element } from "./dom.js";

const TICK = 1_000; // ms between two looks at a countdown

export class Waiting {
  #rows = new Map(); // cid -> row
  #changes = new Map(); // id -> {command, fields, state}
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

  /** My change to the message `id` that is on its way. */
  change(id) {
    return this.#changes.get(id);
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
      this.#showChanges(entries.filter(({ command }) => command !== "say"), online);
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
    const row = this.#rows.get(cid) ?? this.timeline.append({ cid, ...fields, at, user, name, color });
    this.#rows.set(cid, row);
    row.dataset.state = entry.failed ? "failed" : online ? "pending" : "queued";
    row.querySelector(".st")?.remove();
    const status = statusLine(row.dataset.state, entry, this.say);
    status.id = `${row.id}s`; // part of the row's name
    row.append(status);
  }

  #showChanges(entries, online) {
    const state = online ? "pending" : "queued";
    const old = this.#changes;
    this.#changes = new Map(entries.map((entry) => [entry.fields.id, { ...entry, state }]));
    for (const id of new Set([...old.keys(), ...this.#changes.keys()])) {
      const [was, is] = [old.get(id), this.#changes.get(id)];
      const row = this.timeline.row(id);
      if (row && (was?.cid !== is?.cid || was?.state !== is?.state)) this.timeline.paint(row);
    }
  }
}

/** My own change to a message, on its way: the text stands in the row already. */
export function showChange(row, { command, state }) {
  row.dataset.state = state;
  if (command !== "delete") return;
  const line = clone("deleted");
  line.querySelector(".undo").remove();
  row.classList.add("deleted");
  row.append(line);
}

/** The line under a message that is not yet sent. */
function statusLine(state, { failed, retryAt, detail }, say) {
  if (state === "failed") {
    const line = clone("failed");
    line.querySelector(".why").textContent = say("message.not_sent", { detail: failed });
    return line;
  }
  if (state === "queued") return clone("waiting");
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  const text = seconds > 0 ? say("message.slow", { detail, n: seconds }) : say("message.sending");
  const line = element("p", text);
  line.className = seconds > 0 ? "st" : "st sending";
  return line;
}
