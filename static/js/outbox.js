// Owns what was written and is not yet confirmed: on disk before it is sent, out of it only when
// the message itself comes back, or the person discards it. Edits and deletions on their way are
// kept in memory. Knows no DOM and no socket.
//
// One localStorage key per message: tabs never overwrite each other's. One tab at a time sends,
// one message at a time, in the order they were written; the server drops what it already has.

const ANSWER_WITHIN = 10_000; // ms without an answer: the line is dead
const TRIES = 3; // unanswered while online before a message counts as failed
const LEASE = 5_000; // ms a tab may send without renewing, where there are no Web Locks
const OLD = 24 * 3_600_000; // ms
const MOST = 100; // messages waiting

/** A random id, also on plain http where crypto.randomUUID does not exist. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Edits and deletions under way: kept until they come back or are refused, sent again on a new line. */
export class Changes {
  #sent = new Map(); // id -> [command, fields]

  constructor(send) {
    this.send = send;
  }

  make(command, fields) {
    this.#sent.set(fields.id, [command, fields]);
    this.send(command, fields);
  }

  again() {
    for (const change of this.#sent.values()) this.send(...change);
  }

  /** Takes a change off the list; gives the text it carried. */
  done(id) {
    const text = this.#sent.get(id)?.[1].text;
    this.#sent.delete(id);
    return text;
  }
}

/**
 * `say(entry)` sends and returns whether the line took it; `silent()` hears that the line does
 * not answer; `changed(entries)` gets all entries, oldest first, whenever one changes. An entry
 * is {cid, text, at, failed?} and, while it waits to be sent again, `retryAt` and `detail`.
 */
export class Outbox {
  #flight = null; // {cid, settle} of the one message being sent by this tab
  #tries = new Map();
  #waits = new Map(); // cid -> {retryAt, detail}
  #flushing = false;
  #more = false; // asked to flush while flushing
  #unsaved = new Map(); // what a full disk did not take

  constructor({ name, storage, say, silent, changed, words }) {
    Object.assign(this, { name, storage, say, silent, changed, words });
  }

  /** Oldest first. */
  get entries() {
    const entries = new Map(this.#unsaved);
    for (let n = 0; n < this.storage.length; n += 1) {
      const key = this.storage.key(n);
      if (!key?.startsWith(this.#key(""))) continue;
      const cid = key.slice(this.#key("").length);
      const saved = JSON.parse(this.storage.getItem(key));
      if (saved) entries.set(cid, { cid, ...saved });
    }
    return [...entries.values()]
      .map((entry) => ({ ...entry, ...this.#waits.get(entry.cid) }))
      .sort((a, b) => a.at - b.at);
  }

  /** Keeps a text and sends it when it can be. Null if too many are waiting already. */
  add(text) {
    const waiting = this.entries;
    if (waiting.length >= MOST) return null;
    const at = Math.max(Date.now(), (waiting.at(-1)?.at ?? 0) + 1); // order outlives a clock set back
    const entry = { cid: newId(), text, at };
    this.#save(entry);
    this.#tell();
    this.flush();
    return entry;
  }

  /** My own message came back: it is stored. */
  confirm(cid) {
    const mine = this.#unsaved.has(cid) || this.storage.getItem(this.#key(cid)) !== null;
    this.#settle(cid, "confirmed");
    if (!mine) return;
    this.#remove(cid);
    this.#tell();
  }

  /** The server said no: for now (`retry` ms), or for good. */
  refuse({ cid, detail, retry }) {
    if (retry === undefined) this.#fail(cid, detail);
    else this.#waits.set(cid, { retryAt: Date.now() + retry, detail });
    this.#settle(cid, "refused");
    this.#tell();
  }

  /** Sends a failed message once more, under the same cid: it is stored at most once. */
  again(cid) {
    const entry = this.#find(cid);
    if (!entry) return;
    this.#tries.delete(cid);
    this.#save({ cid, text: entry.text, at: Date.now() });
    this.#tell();
    this.flush();
  }

  /** Forgets a message and returns its text. */
  discard(cid) {
    const text = this.#find(cid)?.text;
    this.#remove(cid);
    this.#settle(cid, "discarded");
    this.#tell();
    return text;
  }

  /** The line is gone: what was in flight will be sent again. */
  down(tooBig) {
    if (!this.#flight) return;
    if (tooBig) this.refuse({ cid: this.#flight.cid, detail: tooBig });
    else this.#settle(this.#flight.cid, "down");
  }

  /** Another tab wrote or removed an entry. */
  stored({ key, newValue }) {
    if (!key?.startsWith(this.#key(""))) return;
    if (newValue === null) this.#settle(key.slice(this.#key("").length), "confirmed");
    // The tab that confirmed may be ahead of our own line: wait for the message, then tidy up.
    setTimeout(() => this.#tell(), newValue === null ? LEASE : 0);
    if (newValue !== null) this.flush();
  }

  /** Sends what waits, unless another tab is at it; that tab then sends ours too. */
  async flush() {
    this.#expire();
    this.#more = true;
    if (this.#flushing || !this.#next()) return;
    this.#flushing = true;
    this.#more = false;
    await this.#alone(async () => {
      for (let entry = this.#next(); entry; entry = this.#next()) {
        if (!(await this.#deliver(entry))) break;
      }
    });
    this.#flushing = false;
    if (this.#more) this.flush(); // the line came back while this round was ending
  }

  /** Sends one message. False: the line is down, leave the rest for later. */
  async #deliver({ cid, text, retryAt = 0 }) {
    const wait = retryAt - Date.now();
    if (wait > 0) await this.#flown(cid, wait);
    if (!this.#find(cid)) return true; // confirmed or discarded while it waited
    this.#waits.delete(cid);
    const answer = this.#flown(cid, ANSWER_WITHIN);
    if (!this.say({ cid, text })) {
      this.#settle(cid, "down");
      return false;
    }
    const outcome = await answer;
    if (outcome === "silent") this.#unanswered(cid);
    return outcome !== "down" && outcome !== "silent";
  }

  #unanswered(cid) {
    const tries = (this.#tries.get(cid) ?? 0) + 1;
    this.#tries.set(cid, tries);
    if (tries >= TRIES) {
      this.#fail(cid, this.words.late);
      this.#tell();
    }
    this.silent();
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

  #key(cid) {
    return `${this.name}:outbox:${cid}`;
  }

  #find(cid) {
    return this.entries.find((entry) => entry.cid === cid);
  }

  #next() {
    return this.entries.find((entry) => !entry.failed);
  }

  #expire() {
    const old = this.entries.filter(({ failed, at }) => !failed && Date.now() - at > OLD);
    for (const { cid } of old) this.#fail(cid, this.words.old);
    if (old.length > 0) this.#tell();
  }

  #fail(cid, detail) {
    const entry = this.#find(cid);
    this.#waits.delete(cid);
    if (entry) this.#save({ cid, text: entry.text, at: entry.at, failed: detail });
  }

  #save({ cid, ...entry }) {
    try {
      this.storage.setItem(this.#key(cid), JSON.stringify(entry));
      this.#unsaved.delete(cid);
    } catch {
      this.#unsaved.set(cid, { cid, ...entry });
    }
  }

  #remove(cid) {
    this.#waits.delete(cid);
    this.#tries.delete(cid);
    this.#unsaved.delete(cid);
    this.storage.removeItem(this.#key(cid));
  }

  #tell() {
    this.changed(this.entries);
  }

  /** Runs `work` in one tab at a time. */
  #alone(work) {
    if (navigator.locks) return navigator.locks.request(`${this.name}:outbox`, work);
    return this.#leased(work);
  }

  async #leased(work) {
    const key = `${this.name}:lease`;
    const mine = (this.tab ??= newId());
    const take = () => this.storage.setItem(key, JSON.stringify([mine, Date.now() + LEASE]));
    const [holder, until] = JSON.parse(this.storage.getItem(key) ?? "[null, 0]");
    if (holder !== mine && until > Date.now()) {
      setTimeout(() => this.flush(), until - Date.now());
      return;
    }
    take();
    const renewal = setInterval(take, LEASE / 3);
    try {
      await work();
    } finally {
      clearInterval(renewal);
      this.storage.removeItem(key);
    }
  }
}
