// Owns the line under a message or a change of mine that is on its way: how far it is, what became of
// it, and what can be done about it. Comes after the first messages.

import { clone, element } from "./dom.js";
import { filesOf } from "./entries.js";
import { keepFocus } from "./row.js";

const TICK = 1_000; // ms between two looks at a countdown

export class Status {
  #ticking = new WeakMap(); // row -> timer

  /** `part(entry)`: how much of its files has gone, from 0 to 1. */
  constructor(say, part) {
    Object.assign(this, { say, part });
  }

  /** Says it of a message that waits in this row. */
  show(row, entry) {
    clearTimeout(this.#ticking.get(row));
    if (row.dataset.cid !== entry.cid) return; // it has arrived
    const line = statusLine(row.dataset.state, entry, this.say);
    const old = row.querySelector(".st");
    if (old?.textContent !== line.textContent) keepFocus(row, () => (old?.remove(), addStatus(row, line)));
    this.move(row, entry);
    if (entry.retryAt > Date.now()) this.#ticking.set(row, setTimeout(() => this.show(row, entry), TICK));
  }

  /** More of its files has gone. */
  move(row, entry) {
    const bar = row.querySelector(".st progress");
    if (bar) bar.value = this.part(entry);
  }
}

export function addStatus(row, line) {
  line.id = `${row.id}s`; // part of the row's name
  row.append(line);
}

/** The line for something that is "failed", "queued" or "pending". */
export function statusLine(state, entry, say) {
  if (state === "failed") return failedLine(entry, say);
  const line = state === "queued" ? clone("waiting") : sendingLine(entry, say);
  if (filesOf(entry).some(({ id }) => !id)) addUpload(line, state, say);
  return line;
}

function failedLine({ command, failed }, say) {
  const line = clone("failed");
  line.querySelector(".why").textContent = say("message.not_sent", { detail: failed });
  line.querySelector(".take").hidden = command === "delete"; // there is no text to take back
  return line;
}

function sendingLine({ retryAt, detail }, say) {
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  const line = element("p", seconds > 0 ? say("message.slow", { detail, n: seconds }) : say("message.sending"));
  line.className = seconds > 0 ? "st" : "st sending";
  return line;
}

/** While its files are on their way a message can be taken back. */
function addUpload(line, state, say) {
  const bar = Object.assign(element("progress"), { ariaLabel: say("message.sending") });
  if (state === "pending") line.append(bar);
  line.append(Object.assign(element("button", say("message.cancel")), { type: "button", className: "lk take" }));
}
