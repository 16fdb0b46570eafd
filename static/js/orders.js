// Owns the orders that wait for their answer: commands that are done now or not at all, and are never
// sent again by themselves. Fetched with the first of them. Knows no DOM.

import { newId } from "./entries.js";
import { COMMANDS } from "./protocol.js";

const PATIENCE = 10_000; // ms for an answer

/** The wire, as chat/wire/orders.py defines it: a test holds the two equal. */
const ORDERS = {
  mute: ["cid", "user", "until", "reason"],
  ban: ["cid", "users", "until", "network", "since", "reason"],
  unban: ["cid", "id"],
  wipe: ["cid", "user", "since"],
  role: ["cid", "user", "role"],
  member: ["cid", "room", "user", "on"],
  chat: ["cid", "name", "door"],
  invite: ["cid", "role", "until", "uses", "room"],
  revoke: ["cid", "id"],
  hook: ["cid", "name", "rooms"],
  readmit: ["cid", "user"],
  remove_room: ["cid", "room"],
};

export class Orders {
  #waiting = new Map(); // cid -> {resolve, fail}

  /** `desk` has the line and tells, by `on`, what comes from it. */
  constructor({ desk, on, say }) {
    Object.assign(this, { desk, say });
    Object.assign(COMMANDS, ORDERS); // the line takes them from now on
    const hear = (name, heard) => {
      const others = on[name];
      on[name] = (...told) => (others?.(...told), heard(...told));
    };
    for (const name of ["done", "link"]) hear(name, (event) => this.#waiting.get(event.cid)?.resolve(event));
    hear("took", (_, change) => this.#waiting.get(change.cid)?.resolve(change));
    hear("refused", (refusal) => this.#waiting.get(refusal.cid)?.fail(refusal));
    hear("lost", () => [...this.#waiting.values()].forEach(({ fail }) => fail(this.#late)));
  }

  /** Gives a command to the line, and what the server answers: `done`, `link` or the change that it
   *  made. Throws an error with the `code` and `detail` of the refusal, of a line that is down
   *  ("offline"), or of an answer that does not come ("late"). */
  send(name, fields) {
    const cid = newId();
    return new Promise((resolve, reject) => {
      const fail = (refusal) => reject(Object.assign(new Error(refusal.detail), refusal));
      if (!this.desk.send(name, { cid, ...fields })) return fail({ code: "offline", detail: this.say("order.offline") });
      const timer = setTimeout(() => fail(this.#late), PATIENCE);
      this.#waiting.set(cid, { resolve, fail, timer });
    }).finally(() => {
      clearTimeout(this.#waiting.get(cid)?.timer);
      this.#waiting.delete(cid);
    });
  }

  get #late() {
    return { code: "late", detail: this.say("order.late") };
  }
}
