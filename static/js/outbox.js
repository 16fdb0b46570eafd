// Owns every lasting command of one room that is not yet answered: on disk before it is sent, out of
// it only when its change comes, when the server says that it is done or never will be, or when the
// person discards it. Knows no DOM and no socket.
//
// One tab at a time sends, one entry at a time, in the order they were made. What was sent once keeps
// its cid and is never replaced; what comes later on the same thing waits behind it, failed or not.

import { alone, Entries, filesOf, newId, onWire } from "./entries.js";
import { CLOSE } from "./protocol.js";

const ANSWER_WITHIN = 10_000; // ms without an answer: the line is dead
const TRIES = 3; // unanswered while online before an entry counts as failed
const SETTLING = 5_000; // ms in which a change that another tab saw confirmed reaches this one
const OLD = 6 * 24 * 3_600_000; // ms: the server knows a cid for seven days
const MOST = 100; // messages waiting

/**
 * `line`: {carries(command), send(entry), silent()}; `send` returns whether the line took it.
 * `changed()` is called whenever an entry changes, `released(files)` when those of a message wait for
 * nothing, `returned(entry, detail)` when a command that is no message will not be done. Entries that
 * wait to be sent again have `retryAt` and `detail`, those that are done and not yet shown have `done`.
 */
export class Outbox {
  #cursor = 0; // what the page shows is level with the log up to this rev
  #done = new Map(); // cid -> entry with `done`: the rev at which its change is shown
  #flight = null; // {cid, settle, sent} of the one entry this tab is at
  #tries = new Map();
  #waits = new Map(); // cid -> {retryAt, detail}
  #flushing = false;
  #more = false; // asked to flush while flushing
  #sweep = false; // the line has just said which history this is

  constructor({ storage, room, you, say, line, changed, returned, released }) {
    Object.assign(this, { storage, room, you, say, line, changed, returned, released });
    this.kept = new Entries(storage, room);
  }

  get epoch() {
    return this.kept.epoch;
  }

  set epoch(epoch) {
    if (epoch === this.epoch) return;
    this.kept.epoch = epoch;
    this.#cursor = 0;
    this.#done.clear();
  }

  /** Oldest first, with those that are done and not yet shown. */
  get entries() {
    const ours = this.kept.all.filter((entry) => !this.#foreign(entry));
    const waiting = ours.map((entry) => ({ ...entry, ...this.#waits.get(entry.cid), failed: this.#failed(entry) }));
    return [...waiting, ...this.#done.values()].sort((a, b) => a.at - b.at);
  }

  /** Keeps a command and sends it when it can be. Null if too many messages are waiting already. */
  add(command, fields) {
    const { all } = this.kept;
    if (command === "say" && all.length >= MOST) return null;
    const at = Math.max(Date.now(), (all.at(-1)?.at ?? 0) + 1); // order outlives a clock set back
    const entry = { cid: newId(), command, fields, at, epoch: this.epoch, person: { user: this.you.user } };
    this.kept.put(entry);
    this.changed();
    this.flush();
    return entry;
  }

  /** A change: it may be what an entry has become, or what came of that later. */
  heard(name, { user, cid, said }) {
    if (name !== "gone" && user && user !== this.you.user) return;
    for (const key of [cid, said].filter(Boolean)) {
      this.#done.delete(key); // it is shown by now
      this.#settle(key, "confirmed"); // also where its key is gone already
      if (this.kept.find(key)) this.#remove(key), this.changed();
    }
  }

  /** The command was carried out, and its change is shown once the page is level with `rev`. */
  done({ cid, rev }) {
    const entry = this.kept.find(cid);
    if (entry && rev > this.#cursor) this.#done.set(cid, { ...entry, failed: undefined, done: rev });
    this.#remove(cid);
    this.#settle(cid, "confirmed");
    this.changed();
  }

  /** What the page shows has everything up to this rev. */
  level(rev) {
    this.#cursor = Math.max(this.#cursor, rev);
    const shown = [...this.#done.values()].filter(({ done }) => done <= rev);
    for (const { cid } of shown) this.#done.delete(cid);
    if (shown.length > 0) this.changed();
  }

  /** The server said no: for now (`retry` ms), or for good. */
  refuse({ cid, code, detail, retry }) {
    const entry = this.kept.find(cid);
    if (entry && retry !== undefined) this.#waits.set(cid, { retryAt: Date.now() + retry, detail });
    else if (entry && code === "no_file" && !entry.anew) this.#bringAnew(entry);
    else if (entry?.command === "say") this.#fail({ ...entry, sent: undefined }, detail);
    else if (entry) this.#remove(cid), this.returned(entry, detail);
    this.#settle(cid, "refused");
    this.changed();
  }

  /** Sends what failed once more: under its cid, so that it is done at most once, or as new. */
  again(cid) {
    const { failed, old, anew, ...entry } = this.kept.find(cid) ?? {};
    if (!failed) return;
    this.#tries.delete(cid);
    this.kept.save(old ? { ...entry, cid: newId(), sent: undefined } : entry); // the place in the order stays
    if (old) this.#remove(cid);
    this.changed();
    this.flush();
  }

  /** Forgets an entry and returns its text. */
  discard(cid) {
    const text = this.kept.find(cid)?.fields.text;
    this.#remove(cid);
    this.#settle(cid, "discarded");
    this.changed();
    this.flush(); // something may have waited behind it
    return text;
  }

  /** Level with the room. What is in flight is sent again: a change that was superseded before it was
   *  read never comes, and only the answer to this tells that it was made. */
  live() {
    if (this.#flight?.sent) this.#settle(this.#flight.cid, "again");
    this.#sweep = true;
    this.flush();
  }

  /** The line is gone: what was in flight will be sent again, unless it was what ended the line. */
  down(code) {
    const { cid, sent } = this.#flight ?? {};
    if (sent && code === CLOSE.TOO_BIG) this.refuse({ cid, detail: this.say("message.too_big") });
    else if (cid) this.#settle(cid, "down");
  }

  /** Another tab wrote or removed the entry under a key. */
  stored(key, text) {
    const cid = this.kept.cidOf(key);
    if (!cid) return;
    if (text === null) this.#settle(cid, "confirmed");
    // The tab that confirmed may be ahead of our own line: wait for the change, then tidy up.
    setTimeout(() => this.changed(), text === null ? SETTLING : 0);
    this.flush(); // something may have waited behind it
  }

  /** Sends what waits, unless another tab is at it; that tab then sends ours too. */
  async flush() {
    this.#more = true;
    if (this.#flushing || !(this.#sweep || this.#next())) return;
    this.#flushing = true;
    this.#more = false;
    const work = async () => {
      this.#sweepForeign();
      for (let entry = this.#next(); entry; entry = this.#next()) {
        if (!(await this.#deliver(entry))) break;
      }
    };
    await alone(this.storage, `${this.room}:sending`, work, (time) => setTimeout(() => this.flush(), time));
    this.#flushing = false;
    if (this.#more) this.flush(); // the line came back while this round was ending
  }

  /** Takes out what names things of another history; an edit is text too, and text is never lost. */
  #sweepForeign() {
    for (const entry of this.#sweep ? this.kept.all.filter((entry) => this.#foreign(entry)) : []) {
      this.#remove(entry.cid);
      if (entry.command === "edit") this.returned(entry, this.say("message.restored"));
      this.changed();
    }
    this.#sweep = false;
  }

  /** Sends one entry. False: the line is down, leave the rest for later. */
  async #deliver({ cid }) {
    const wait = (this.#waits.get(cid)?.retryAt ?? 0) - Date.now();
    if (wait > 0) await this.#flown(cid, wait);
    const entry = this.kept.find(cid);
    if (!entry || entry.failed) return true; // confirmed or discarded while it waited
    this.#waits.delete(cid);
    if (Date.now() - entry.sent > OLD) return this.#fail({ ...entry, old: true }, this.say("message.old")), true;
    const answer = this.#flown(cid, ANSWER_WITHIN);
    if (!this.line.send({ ...entry, fields: onWire(entry.fields) })) return this.#settle(cid, "down"), false;
    this.#flight.sent = true;
    if (!entry.sent) this.kept.save({ ...entry, sent: Date.now() });
    const outcome = await answer;
    if (outcome === "silent") this.#unanswered(cid);
    return !["down", "silent"].includes(outcome);
  }

  #unanswered(cid) {
    const tries = (this.#tries.get(cid) ?? 0) + 1;
    this.#tries.set(cid, tries);
    if (tries >= TRIES && this.kept.find(cid)) this.#fail(this.kept.find(cid), this.say("message.late"));
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

  #next() {
    return this.kept.free.find((one) => !this.#failed(one) && !this.#foreign(one) && this.line.carries(one.command));
  }

  /** Why it does not go by itself. What another person wrote in this browser is text, and no command;
   *  earlier versions wrote down a name, which may have changed. */
  #failed({ person, failed }) {
    return (person?.user ?? this.you.user) === this.you.user ? failed : this.say("message.strange");
  }

  #foreign({ command, epoch }) {
    return command !== "say" && this.epoch !== null && epoch !== this.epoch;
  }

  /** All its files are uploaded again. */
  #bringAnew(entry) {
    const files = filesOf(entry).map(({ id, ...file }) => file);
    this.kept.save({ ...entry, sent: undefined, anew: true, fields: { ...entry.fields, files } });
  }

  #fail(entry, detail) {
    this.#waits.delete(entry.cid);
    this.kept.save({ ...entry, failed: detail });
    this.changed();
  }

  #remove(cid) {
    this.#waits.delete(cid);
    this.#tries.delete(cid);
    const { fields } = this.kept.find(cid) ?? {};
    this.kept.remove(cid);
    if (fields?.files) this.released(fields.files);
  }
}
