// Owns the rows of what waits in the outbox: my messages that have no id yet, and my changes to
// messages that have one.

import { clone, element } from "./dom.js";

const TICK = 1_000; // ms between two looks at a countdown

export class Waiting {
  #rows = new Map(); // cid -> row
  #changes = new Map(); // id -> {cid, command, fields, state, failed}
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
      this.#showChanges(entries.filter(({ command }) => ["edit", "delete"].includes(command)), online);
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
    addStatus(row, statusLine(row.dataset.state, entry, this.say));
  }

  #showChanges(entries, online) {
    const old = this.#changes;
    this.#changes = new Map();
    for (const entry of entries) {
      // The newest is shown; if an earlier one failed it waits for that, and what is offered is for that.
      const failed = [this.#changes.get(entry.fields.id), entry].find((change) => change?.failed);
      const state = failed ? "failed" : online ? "pending" : "queued";
      this.#changes.set(entry.fields.id, { ...entry, cid: (failed ?? entry).cid, failed: failed?.failed, state });
    }
    for (const id of new Set([...old.keys(), ...this.#changes.keys()])) {
      const [was, is] = [old.get(id), this.#changes.get(id)];
      const row = this.timeline.row(id);
      const same = was?.cid === is?.cid && was?.state === is?.state && was?.failed === is?.failed;
      if (row && !(same && was?.fields.text === is?.fields.text)) this.timeline.paint(row);
    }
  }
}

/** My own change to a message, on its way or failed: the text stands in the row already. */
export function showChange(row, change, say) {
  row.dataset.state = change.state;
  if (change.failed) return addStatus(row, statusLine("failed", change, say));
  if (change.command !== "delete") return;
  const line = clone("deleted");
  line.querySelector(".undo").remove();
  row.classList.add("deleted");
  row.append(line);
}

function addStatus(row, line) {
  line.id = `${row.id}s`; // part of the row's name
  row.append(line);
}

/** The line under a message that is not yet sent. */
function statusLine(state, { command, failed, retryAt, detail }, say) {
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
