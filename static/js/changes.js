// Owns my changes to messages that are on their way, and shows them in the rows of those messages.
// Comes after the first messages.

import { clone } from "./dom.js";
import { addStatus, statusLine } from "./status.js";

export class Changes {
  #changes = new Map(); // id -> {cid, command, fields, state, failed}

  constructor(timeline, say) {
    Object.assign(this, { timeline, say });
  }

  /** My change to the message `id` that is on its way. */
  of(id) {
    return this.#changes.get(id);
  }

  show(entries, online) {
    const old = this.#changes;
    this.#changes = new Map();
    for (const entry of entries.filter(({ command }) => ["edit", "delete"].includes(command))) {
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

  /** Says in a row that its message is being changed, or was not: the text stands there already. */
  paint(row, id) {
    const change = this.of(id);
    if (!change) return;
    row.dataset.state = change.state;
    if (change.failed) return addStatus(row, statusLine("failed", change, this.say));
    const waits = change.state === "queued";
    if (change.command !== "delete") return waits && addStatus(row, statusLine("queued", change, this.say));
    const line = showDeleted(row);
    line.querySelector(".undo").remove();
    if (waits) line.append(this.say("message.waiting"));
  }
}

/** A row says that its message is deleted, and is called so. The line that says it. */
export function showDeleted(row) {
  const line = clone("deleted");
  row.classList.add("deleted");
  addStatus(row, line);
  row.setAttribute("aria-labelledby", ["w", "t", "s"].map((part) => row.id + part).join(" "));
  return line;
}
