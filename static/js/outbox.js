// Owns what was said, edited and deleted in one room and is not yet answered: on disk before it is
// sent, out of it only when the change itself comes back, is refused, or the person discards it.
// Knows no DOM and no socket.
//
// One tab at a time sends, one entry at a time, in the order they were made. What was sent once is
// never replaced: whatever comes later waits behind it. The server drops what it already has.

import { alone, Entries, newId } from "./entries.js";

const ANSWER_WITHIN = 10_000; // ms without an answer: the line is dead
const TRIES = 3; // unanswered while online before an entry counts as failed
const SETTLING = 5_000; // ms in which a message that another tab saw confirmed reaches this one
const OLD = 24 * 3_600_000; // ms
const MOST = 100; // messages waiting

// What the server takes out of a text, so that an edit knows itself when it comes back.
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;
const asStored = (text) => text.replace(/\r\n?/g, "\n").replace(CONTROLS, "");

/** Is this message what became of the entry? An edit only by its own text: it may be older news. */
function answers({ cid, command, fields, sent }, message) {
  if (command === "say") return message.cid === cid;
  if (message.id !== fields.id) return false;
  return command === "delete" ? message.deleted : sent && !message.deleted && message.text === fields.text;
}

/**
 * `line`: {carries(command), send(entry), silent()}; `send` returns whether the line took it.
 * `changed()` is called whenever an entry changes; `returned(entry, detail)` when an edit or a
 * deletion will not be done. Entries that wait to be sent again have `retryAt` and `detail`.
 */
export class Outbox {
  epoch = null; // of the history that ids mean messages in; null: not known here
  #flight = null; // {cid, settle} of the one entry being sent by this tab
  #tries = new Map();
  #waits = new Map(); // cid -> {retryAt, detail}
  #flushing = false;
  #more = false; // asked to flush while flushing

  constructor({ storage, room, you, say, line, changed, returned }) {
    Object.assign(this, { storage, room, you, say, line, changed, returned });
    this.kept = new Entries(storage, room, say("message.damaged_here"));
  }

  /** Oldest first. */
  get entries() {
    const ours = this.kept.all.filter((entry) => !this.#foreign(entry));
    return ours.map((entry) => ({ ...entry, ...this.#waits.get(entry.cid) }));
  }

  /** Keeps a command and sends it when it can be. Null if too many messages are waiting already. */
  add(command, fields) {
    const waiting = this.kept.all;
    if (command === "say" && waiting.length >= MOST) return null;
    if (fields.text) fields = { ...fields, text: asStored(fields.text) };
    // Of the changes to one message only the newest is worth sending, unless one is out already.
    const idle = waiting.filter((entry) => fields.id && entry.fields.id === fields.id && !entry.sent);
    idle.forEach(({ cid }) => this.kept.remove(cid));
    const made = { at: this.#now(waiting), epoch: this.epoch, person: this.you.name };
    const entry = { cid: newId(), command, fields, ...made };
    this.kept.save(entry);
    this.changed();
    this.flush();
    return entry;
  }

  /** My own message as it is now: it may be what an entry waits for. */
  heard(message) {
    const done = this.kept.all.filter((entry) => answers(entry, message));
    if (message.cid) this.#settle(message.cid, "confirmed"); // also where its key is gone already
    for (const { cid } of done) {
      this.#remove(cid);
      this.#settle(cid, "confirmed");
    }
    if (done.length > 0) this.changed();
  }

  /** The server said no: for now (`retry` ms), or for good. */
  refuse({ cid, id, detail, retry }) {
    const mine = (entry) => (cid ? entry.cid === cid : entry.sent && entry.fields.id === id);
    const entry = this.kept.all.find(mine);
    if (!entry) return this.#settle(cid, "refused");
    if (retry === undefined) this.#fail(entry, detail);
    else this.#waits.set(entry.cid, { retryAt: Date.now() + retry, detail });
    this.#settle(entry.cid, "refused");
    this.changed();
  }

  /** Sends a failed message once more, under the same cid: it is stored at most once. */
  again(cid) {
    const { failed, ...entry } = this.kept.find(cid) ?? {};
    if (!failed) return;
    this.#tries.delete(cid);
    this.kept.save({ ...entry, at: this.#now(this.kept.all) });
    this.changed();
    this.flush();
  }

  /** Forgets an entry and returns its text. */
  discard(cid) {
    const text = this.kept.find(cid)?.fields.text;
    this.#remove(cid);
    this.#settle(cid, "discarded");
    this.changed();
    return text;
  }

  /** The line is gone: what was in flight will be sent again. */
  down(tooBig) {
    if (!this.#flight) return;
    if (tooBig) this.refuse({ cid: this.#flight.cid, detail: tooBig });
    else this.#settle(this.#flight.cid, "down");
  }

  /** Another tab wrote or removed the entry under a key. */
  stored(key, text) {
    const cid = this.kept.cidOf(key);
    if (!cid) return;
    if (text === null) this.#settle(cid, "confirmed");
    // The tab that confirmed may be ahead of our own line: wait for the message, then tidy up.
    setTimeout(() => this.changed(), text === null ? SETTLING : 0);
    if (text !== null) this.flush();
  }

  /** Sends what waits, unless another tab is at it; that tab then sends ours too. */
  async flush() {
    this.#expire();
    this.#more = true;
    if (this.#flushing || !this.#next()) return;
    this.#flushing = true;
    this.#more = false;
    const work = async () => {
      for (let entry = this.#next(); entry; entry = this.#next()) {
        if (!(await this.#deliver(entry))) break;
      }
    };
    await alone(this.storage, `${this.room}:outbox`, work, (time) => setTimeout(() => this.flush(), time));
    this.#flushing = false;
    if (this.#more) this.flush(); // the line came back while this round was ending
  }

  /** Sends one entry. False: the line is down, leave the rest for later. */
  async #deliver({ cid }) {
    const wait = (this.#waits.get(cid)?.retryAt ?? 0) - Date.now();
    if (wait > 0) await this.#flown(cid, wait);
    const entry = this.kept.find(cid);
    if (!entry || entry.failed) return true; // confirmed or discarded while it waited
    this.#waits.delete(cid);
    if (this.#foreign(entry)) return this.#fail(entry, this.say("message.restored")), this.changed(), true;
    const answer = this.#flown(cid, ANSWER_WITHIN);
    if (!this.line.send(entry)) {
      this.#settle(cid, "down");
      return false;
    }
    if (!entry.sent) this.kept.save({ ...entry, sent: Date.now() });
    const outcome = await answer;
    if (outcome === "silent") this.#unanswered(cid);
    return outcome !== "down" && outcome !== "silent";
  }

  /** Made in another history: the id may be another message's now. */
  #foreign({ command, epoch }) {
    return command !== "say" && this.epoch !== null && epoch !== this.epoch;
  }

  #unanswered(cid) {
    const tries = (this.#tries.get(cid) ?? 0) + 1;
    this.#tries.set(cid, tries);
    const entry = this.kept.find(cid);
    if (entry && tries >= TRIES) {
      this.#fail(entry, this.say("message.late"));
      this.changed();
    }
    this.line.silent();
  }

  #flown(cid, time) {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#settle(cid, "silent"), time);
      this.#flight = { cid, settle: (outcome) => (clearTimeout(timer), resolve(outcome)) };
    });
  }

  #settle(cid, outcome) {
    if (this.#flight?.cid !== cid) return;
    const { settle } = this.#flight;
    this.#flight = null;
    settle(outcome);
  }

  #now(waiting) {
    return Math.max(Date.now(), (waiting.at(-1)?.at ?? 0) + 1); // order outlives a clock set back
  }

  #next() {
    return this.kept.all.find(({ failed, command }) => !failed && this.line.carries(command));
  }

  #expire() {
    const mine = this.kept.all.filter(({ failed, command }) => !failed && this.line.carries(command));
    const old = mine.filter(({ at }) => Date.now() - at > OLD);
    for (const entry of old) this.#fail(entry, this.say("message.old"));
    if (old.length > 0) this.changed();
  }

  /** A message stays, to be tried again by hand; a change to one is given back. */
  #fail(entry, detail) {
    this.#waits.delete(entry.cid);
    if (entry.command === "say") return this.kept.save({ ...entry, failed: detail });
    this.#remove(entry.cid);
    this.returned(entry, detail);
  }

  #remove(cid) {
    this.#waits.delete(cid);
    this.#tries.delete(cid);
    this.kept.remove(cid);
  }
}
