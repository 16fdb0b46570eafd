// Where the line, the model and the outbox meet: every change goes through the log and confirms what
// waits, and what the line was too far behind for is loaded as a page. Knows no DOM.

import { Connection } from "./connection.js";
import { decodePage, named, PASSING } from "./protocol.js";

const PATIENCE = 20_000; // ms for a page
const AGAIN = 3_000; // ms until a page that must come is asked for again

/**
 * `socket` and `pages` are the addresses of the line and of history. `on` hears, where it wants to, of
 * `took(name, change, what)`: what the log made of a change; `afresh(other)`: all will be loaded
 * anew, of another history if `other`; `loaded(page)`: the first page after that; `seen(messages)`:
 * those of any page; every event that is no change by its name; `state` and `lost` of the connection;
 * `stranger()`: another person uses this browser. `on.place()` gives the query of that first page.
 */
export class Desk {
  #deaf = false; // the line is another person's
  #turn = 0; // counts the times everything was loaded anew
  #waiting = 0;

  constructor({ socket, pages, cursor, you, log, outbox, on = {} }) {
    Object.assign(this, { pages, you, log, outbox, on });
    outbox.epoch = cursor.epoch;
    this.connection = new Connection({
      url: socket,
      signInUrl: `${pages}?limit=1`,
      cursor,
      hear: (name, fields) => this.#deaf || this.#hear(name, fields),
      lost: (code) => this.#lost(code),
      changed: (state) => on.state?.(state),
    });
  }

  /** `changes`: what is known besides the messages, as on the wire. */
  open(changes = []) {
    for (const message of this.log.messages) this.outbox.heard("message", message);
    for (const [name, fields] of changes.map(named)) this.log.take(name, fields), this.outbox.heard(name, fields);
    this.#level();
    this.connection.open();
  }

  /** Sends a command that nothing depends on. True if a line took it. */
  send(name, fields) {
    return !this.#deaf && this.connection.send(name, fields);
  }

  /** The same for what waits in the outbox. */
  carry({ command, cid, fields }) {
    return this.send(command, { cid, ...fields });
  }

  /** Loads a page of history: what Log.merge makes of it. */
  async load(query) {
    const ticket = this.log.ask(query);
    const page = await this.#fetch(query).catch((error) => {
      this.log.merge(ticket);
      throw error;
    });
    this.on.seen?.(this.log.living(ticket, page));
    const merged = this.log.merge(ticket, page);
    if (merged?.first) this.on.loaded?.(merged);
    if (merged) for (const [name, fields] of page.changes) this.outbox.heard(name, fields);
    this.#level();
    return merged;
  }

  async #fetch(query) {
    const headers = { Accept: "application/json" };
    const signal = AbortSignal.timeout(PATIENCE);
    const answer = await fetch(`${this.pages}?${new URLSearchParams(query)}`, { headers, signal });
    if (!answer.ok) throw new Error(answer.statusText);
    return decodePage(await answer.text());
  }

  // --- what the line brings

  #hear(name, fields) {
    if (!PASSING.has(name)) return this.#change(name, fields);
    this.#rules[name]?.(fields);
    if (!this.#deaf) this.on[name]?.(fields);
  }

  #change(name, fields) {
    const { live, ...change } = fields;
    const what = this.log.take(name, change);
    this.on.took?.(name, fields, what);
    this.outbox.heard(name, change);
    this.#level();
  }

  #rules = {
    welcome: ({ you, epoch, head, afresh, settings }) => {
      this.#deaf = you.user !== this.you.user;
      if (this.#deaf) this.on.stranger?.();
      else if (afresh) this.#begin(epoch, head, settings);
      else this.log.take("settings", { rev: 0, ...settings }); // unless a change of them is known
    },
    live: () => {
      this.#level();
      this.outbox.live();
    },
    done: (answer) => {
      this.outbox.done(answer);
      this.#level();
    },
    refused: (refusal) => refusal.cid && this.outbox.refuse(refusal), // else it is of a passing command
  };

  #lost(code) {
    this.outbox.down(code);
    this.on.lost?.(code);
  }

  /** What was done up to the cursor is shown, unless the page that shows it is still to come. */
  #level() {
    if (this.log.level) this.outbox.level(this.connection.cursor.rev);
  }

  // --- too far behind

  #begin(epoch, head, settings) {
    const other = epoch !== this.log.epoch;
    const place = (!other && this.on.place?.()) || {};
    this.log.afresh(epoch, head, settings);
    this.outbox.epoch = epoch;
    this.on.afresh?.(other);
    this.#turn += 1;
    clearTimeout(this.#waiting);
    this.#loadAnew(place, this.#turn);
  }

  /** Loads what is around `place`, or the newest, until that has come or all is different again. */
  async #loadAnew(place, turn) {
    const page = await this.load(place).catch(() => undefined);
    if (page === null && place.around) await this.load({}).catch(() => undefined);
    if (turn !== this.#turn || this.log.level) return;
    this.#waiting = setTimeout(() => this.#loadAnew(place, turn), AGAIN);
  }
}
