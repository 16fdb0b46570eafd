// Owns what waits in one room, on disk: one key an entry, so that tabs never overwrite each other's;
// and which tab may send it, one at a time. Knows no line and no DOM.

const LEASE = 5_000; // ms a tab may send without renewing, where there are no Web Locks

/** A random id, also on plain http where crypto.randomUUID does not exist. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The room in which something waits under this key; undefined for any other key. */
export const roomOf = (key) => /^(.+):outbox:[^:]+$/.exec(key)?.[1];

/**
 * An entry is {cid, command, fields, at, epoch, person, sent?, failed?}: `sent` when it first went
 * out, `failed` why it will not by itself.
 */
export class Entries {
  /** `damaged`: why an entry that cannot be read has failed. */
  constructor(storage, room, damaged) {
    Object.assign(this, { storage, damaged, start: `${room}:outbox:` });
  }

  /** Oldest first. */
  get all() {
    const cids = this.storage.keys(this.start).map((key) => this.cidOf(key));
    return cids.map((cid) => this.find(cid)).filter(Boolean).sort((a, b) => a.at - b.at);
  }

  find(cid) {
    const text = this.storage.text(this.start + cid);
    return text === null ? null : (entryIn(cid, text) ?? this.#salvage(cid, text));
  }

  save({ cid, ...entry }) {
    this.storage.write(this.start + cid, entry);
  }

  remove(cid) {
    this.storage.remove(this.start + cid);
  }

  /** The cid in a key of this room's entries; undefined in any other. */
  cidOf(key) {
    return key.startsWith(this.start) ? key.slice(this.start.length) : undefined;
  }

  /** An entry that was cut short or overwritten: what is left of its text, not to be sent unseen. */
  #salvage(cid, damaged) {
    const text = textIn(damaged);
    if (text.trim() === "") return this.remove(cid), null;
    const entry = { cid, command: "say", fields: { text }, at: Date.now(), failed: this.damaged };
    this.save(entry);
    return entry;
  }
}

function entryIn(cid, text) {
  try {
    const { text: first, ...rest } = JSON.parse(text);
    // The first version kept messages only, by their text.
    const entry = first === undefined ? rest : { command: "say", fields: { text: first }, ...rest };
    const { command, fields, at } = entry;
    const whole =
      Number.isFinite(at) &&
      (command === "delete" || typeof fields.text === "string") &&
      (command === "say" || Number.isSafeInteger(fields.id));
    return whole ? { cid, ...entry } : null;
  } catch {
    return null;
  }
}

/** The longest beginning of a text that a damaged entry still has. */
function textIn(damaged) {
  const [, inside = ""] = /"text":"((?:[^"\\]|\\.)*)/s.exec(damaged) ?? [];
  try {
    return JSON.parse(`"${inside}"`);
  } catch {
    return inside;
  }
}

const tab = newId();

/** Does `work` while no other tab of this browser does. False: another is at it, until `busy(ms)`. */
export async function alone(storage, name, work, busy) {
  if (navigator.locks) return navigator.locks.request(storage.prefix + name, work);
  const key = `${name}:lease`;
  const take = () => storage.write(key, [tab, Date.now() + LEASE]);
  const [holder, until] = storage.read(key, [null, 0]);
  const rest = Math.min(until - Date.now(), LEASE); // also where the clock was set back
  if (holder !== tab && rest > 0) return busy(rest);
  take();
  const renewal = setInterval(take, LEASE / 3);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    storage.remove(key);
  }
}
