// Owns messages that are to be deleted and can still be kept: for a while the row says so, then the
// deletion is carried out. Knows the list by its public side.

import { showDeleted } from "./changes.js";
import { neighbour } from "./chunks.js";

const UNDO = 6_000; // ms

export class Deletions {
  #timers = new Map(); // id -> timer

  constructor({ timeline, say, deeds }) {
    Object.assign(this, { timeline, say, deeds });
    addEventListener("pagehide", () => this.#settle());
  }

  add(row) {
    this.timeline.scroll.hold(() => showDeleted(row));
    row.querySelector(".undo").focus({ preventScroll: true });
    this.deeds.tell(this.say("message.deleted"));
    const { id } = this.timeline.message(row);
    this.#timers.set(id, setTimeout(() => this.#carryOut(id), UNDO));
  }

  undo(row) {
    this.#forget(this.timeline.message(row).id);
    this.timeline.scroll.hold(() => {
      row.querySelector(".st").remove();
      this.timeline.paint(row);
    });
    row.focus({ preventScroll: true });
  }

  /** Carries out all of them: the page goes. */
  #settle() {
    for (const id of [...this.#timers.keys()]) this.#carryOut(id, () => this.deeds.removeAtOnce(id));
  }

  /** Ids mean other messages now. */
  clear() {
    for (const id of [...this.#timers.keys()]) this.#forget(id);
  }

  #forget(id) {
    clearTimeout(this.#timers.get(id));
    this.#timers.delete(id);
  }

  #carryOut(id, remove = () => this.deeds.remove(id)) {
    this.#forget(id);
    const { timeline } = this;
    const row = timeline.row(id);
    if (!row && timeline.model.covers(id)) return; // gone already: deleted in another tab
    const undo = row?.querySelector(".undo");
    if (undo && undo === document.activeElement) this.#leave(row);
    undo?.remove();
    remove();
  }

  /** Whoever waited at a row that goes now is at the next one. */
  #leave(row) {
    const heir = neighbour(row, "next") ?? neighbour(row, "previous");
    if (heir) heir.focus({ preventScroll: true });
    else this.deeds.leave();
  }
}
