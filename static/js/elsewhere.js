// Owns what waits in rooms this page does not show: any page of a person sends it, as the form
// without JavaScript would. Knows no DOM and no socket.

import { roomOf } from "./entries.js";
import { Outbox } from "./outbox.js";

const PATIENCE = 9_000; // ms for an answer: less than the outbox has
const AGAIN = 30_000; // ms after which what still waits is tried again

export class Elsewhere {
  #outboxes = new Map(); // room -> Outbox
  #timer = 0;

  /** `address(room)`: where a room takes messages; `made`: what every Outbox is made with. */
  constructor({ room, address, changed, ...made }) {
    Object.assign(this, { room, address, changed, made });
  }

  /** {waiting, failed} of each other room in which there is something. */
  get counts() {
    const rooms = new Set(this.made.storage.keys("").map(roomOf));
    const others = [...rooms].filter((room) => room && room !== this.room);
    return new Map(others.map((room) => [room, this.#count(room)]));
  }

  /** Sends what can be sent: messages. The rest waits until its room is opened: no form takes it. */
  flush() {
    clearTimeout(this.#timer);
    const rooms = [...this.counts.keys()];
    for (const room of rooms) this.outbox(room).flush();
    if (rooms.length > 0) this.#timer = setTimeout(() => this.flush(), AGAIN);
    this.changed();
  }

  /** Another tab wrote or removed what is kept under a key. */
  stored(key, text) {
    const room = roomOf(key);
    if (room && room !== this.room) this.outbox(room).stored(key, text);
  }

  /** What waits in another room. */
  outbox(room) {
    if (!this.#outboxes.has(room)) this.#outboxes.set(room, this.#make(room));
    return this.#outboxes.get(room);
  }

  #count(room) {
    const { entries } = this.outbox(room);
    const failed = entries.filter((entry) => entry.failed).length;
    const sent = entries.filter(({ command, sent, failed }) => sent && !failed && command !== "say").length;
    return { waiting: entries.length - failed - sent, failed }; // what was sent most likely arrived
  }

  #make(room) {
    const outbox = new Outbox({
      ...this.made,
      room,
      line: {
        carries: (command) => command === "say",
        send: (entry) => (this.#post(outbox, room, entry), true),
        silent: () => {},
      },
      changed: this.changed,
    });
    return outbox;
  }

  async #post(outbox, room, { cid, fields, epoch }) {
    try {
      const answer = await fetch(this.address(room), {
        method: "POST",
        headers: { Accept: "application/json" },
        body: new URLSearchParams({ ...formOf(fields), cid, epoch, user: this.made.you.user }),
        signal: AbortSignal.timeout(PATIENCE),
      });
      const { code, detail, retry } = await answer.json();
      if (answer.ok) outbox.done({ cid, rev: 0 });
      else if (code === "sign_in" || /^\d+$/.test(code)) outbox.down(); // nothing was said of this message
      else outbox.refuse({ cid, code, detail, retry });
    } catch {
      outbox.down(); // no answer, or one that is not the server's
    }
  }
}

/** As the form has it: files as a list in JSON. */
const formOf = ({ files, ...fields }) => (files ? { ...fields, files: JSON.stringify(files) } : fields);
