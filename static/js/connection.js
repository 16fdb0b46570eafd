// Owns the only WebSocket, the cursor and the backoff. Turns what arrives into events that are
// in order and without holes (docs/protocol.md). Knows no DOM and nothing of the outbox.

import { CLOSE, decode, encode, PASSING } from "./protocol.js";

const SECOND = 1000; // ms
const PING_AFTER = 25 * SECOND; // of silence
const ANSWER_WITHIN = 10 * SECOND; // for a pong, and for the handshake
const SILENT = 45 * SECOND; // nothing at all heard: the line is dead
const BACKOFF = { first: 0.5 * SECOND, most: 30 * SECOND };
const SOON = 3 * SECOND; // when the server says it restarts
const LATER = 30 * SECOND; // when the server says slow down
const REFUSED = 3; // handshakes, while the server answers: something between lets none through

const FINAL = new Map([
  [CLOSE.REMOVED, "removed"],
  [CLOSE.SIGNED_OUT, "signed_out"],
  [CLOSE.REPLACED, "replaced"],
]);

const REFUSALS = { sign_in: "signed_out", banned: "removed", bad_room: "removed" };

/**
 * `hear(name, fields)` gets every event, after the cursor has moved; `name` is null for a change of a
 * kind not known here. `lost(code)` hears of every line that ends. `changed(state)` gets "connecting", "online", "offline", "blocked" (a
 * proxy passes no sockets) or a final "removed", "signed_out",
 * "replaced". Nothing happens before `open()`.
 */
export class Connection {
  state = "connecting";
  #socket = null;
  #live = false; // level with the room: from here changes come one by one
  #welcomed = false;
  #ended = false; // told not to come back
  #failures = 0;
  #refused = 0; // handshakes though the server answered
  #reached = false; // was online: what fails since then is the line and not a proxy
  #soon = SOON;
  #heard = 0;
  #pinged = 0;
  #retry = 0;
  #restarted = 0;

  constructor({ url, signInUrl, cursor, hear, lost, changed }) {
    Object.assign(this, { url, signInUrl, cursor, hear, lost, changed });
    setInterval(() => this.#watch(), SECOND);
  }

  get online() {
    return this.state === "online";
  }

  open() {
    clearTimeout(this.#retry);
    const url = new URL(this.url);
    if (this.cursor) {
      url.searchParams.set("after", this.cursor.rev);
      url.searchParams.set("epoch", this.cursor.epoch);
    }
    this.#live = this.#welcomed = false;
    this.#heard = Date.now();
    this.#pinged = 0;
    const socket = (this.#socket = new WebSocket(url));
    socket.onmessage = ({ data }) => this.#read(data);
    socket.onclose = ({ code }) => this.#closed(code);
  }

  /** True if the command went to a line that is believed to be alive. */
  send(name, fields) {
    if (!this.online || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(encode(name, fields));
    return true;
  }

  /** Try now instead of when the backoff says. */
  retry() {
    if (!this.#socket && !this.#ended) this.open();
  }

  /** After a final state: begin again, because the person asked. */
  resume() {
    this.#ended = false;
    this.#become("connecting");
    this.open();
  }

  /** The line does not answer, or has a hole: leave it and come back with the cursor at once. */
  restart() {
    const hasty = Date.now() - this.#restarted < SECOND; // again already: not in circles
    this.#restarted = Date.now();
    this.#drop();
    if (hasty) return this.#comeBack();
    this.#become("connecting");
    this.open();
  }

  /** The machine has no network: do not wait for the line to notice. */
  unplugged() {
    this.#failures += 1;
    if (this.#socket) this.#giveUp();
  }

  #drop() {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    socket.onmessage = socket.onclose = null; // a dead socket may report its end a minute later
    socket.close();
    this.lost(0);
  }

  #become(state) {
    if (this.state === state) return;
    this.state = state;
    this.changed(state);
  }

  #end(state) {
    clearTimeout(this.#retry);
    this.#ended = true;
    this.#become(state);
  }

  #closed(code) {
    this.#socket = null;
    this.lost(code);
    if (FINAL.has(code)) this.#end(FINAL.get(code));
    else this.#comeBack(code);
  }

  #comeBack(code) {
    if (!this.#welcomed) this.#checkIdentity();
    // A try that failed is "offline" until one succeeds: no flicker between the two.
    const down = this.#refused >= REFUSED ? "blocked" : "offline";
    this.#become(this.#failures > 0 ? down : "connecting");
    this.#retry = setTimeout(() => this.open(), this.#delay(code));
    this.#failures += 1;
  }

  #delay(code) {
    if (code === CLOSE.POLICY) return LATER;
    if (code === CLOSE.GOING_AWAY || code === CLOSE.RESTART) return Math.random() * this.#soon;
    const longest = Math.min(BACKOFF.most, BACKOFF.first * 2 ** this.#failures);
    return longest * (0.5 + Math.random() / 2);
  }

  /** A refused handshake looks like any lost line; only a plain request tells why. */
  async #checkIdentity() {
    try {
      const answer = await fetch(this.signInUrl, { headers: { Accept: "application/json" } });
      if (answer.ok && !this.#reached) this.#refused += 1;
      const end = !answer.ok && REFUSALS[(await answer.json()).code];
      if (end) this.#end(end);
    } catch {} // no answer at all: it is the line, and the backoff cares for it
  }

  #watch() {
    const socket = this.#socket;
    if (!socket) return;
    const now = Date.now();
    const silence = now - this.#heard;
    if (socket.readyState !== WebSocket.OPEN) {
      if (silence > ANSWER_WITHIN) this.#giveUp();
    } else if (silence > SILENT || (this.#pinged && now - this.#pinged > ANSWER_WITHIN)) {
      this.#giveUp();
    } else if (silence > PING_AFTER && !this.#pinged) {
      this.#pinged = now;
      socket.send(encode("ping"));
    }
  }

  #giveUp() {
    this.#drop();
    this.#comeBack();
  }

  #read(data) {
    this.#heard = Date.now();
    this.#pinged = 0;
    const [name, fields] = decode(data);
    if (PASSING.has(name)) {
      this.#rules[name]?.(fields);
      this.hear(name, fields);
    } else if (fields.rev !== undefined) {
      this.#advance(name, fields);
    }
  }

  /** A lasting change. One of a kind that only a newer server knows has its place in the log too. */
  #advance(name, fields) {
    const { rev } = this.cursor;
    if (this.#live && fields.rev > rev + 1) return this.restart(); // something is missing
    this.cursor.rev = Math.max(rev, fields.rev);
    this.hear(name, { ...fields, live: this.#live });
  }

  // What the cursor has to do with passing events.
  #rules = {
    welcome: ({ epoch, head, afresh }) => {
      this.#welcomed = true;
      if (afresh) this.cursor = { epoch, rev: head };
    },
    live: ({ head }) => {
      this.cursor.rev = Math.max(this.cursor.rev, head);
      this.#live = true;
      this.#failures = 0;
      this.#refused = 0;
      this.#reached = true;
      this.#soon = SOON;
      this.#become("online");
    },
    jump: () => {
      this.#live = false; // revs may jump until the next `live`
    },
    beat: ({ head }) => {
      if (this.#live && head > this.cursor.rev) this.restart();
    },
    bye: ({ after }) => {
      if (after >= 0) this.#soon = after;
    },
  };
}
