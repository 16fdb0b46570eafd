// Owns what waits in one room, on disk: one key an entry, so that tabs never overwrite each other's;
// and which tab may send it, one at a time. Knows no line and no DOM.

import { COMMANDS } from "./protocol.js";

const LEASE = 5_000; // ms a tab may send without renewing, where there are no Web Locks

/** A random id, also on plain http where crypto.randomUUID does not exist. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** The room in which something waits under this key; undefined for any other key. */
export const roomOf = (key) => /^(.+):outbox:[^:]+$/.exec(key)?.[1];

const RIGHT = { text: (value) => typeof value === "string", id: Number.isSafeInteger };

/** Is this a command that can be sent, and shown while it waits? It came off a disk. */
function isWhole({ command, fields, at }) {
  const known = COMMANDS[command];
  const right = ([field, check]) => known.includes(field) === check(fields[field]);
  const fit = known.includes("cid") && Object.keys(fields).every((field) => known.includes(field));
  const named = filesOf({ fields }).every(({ name }) => typeof name === "string");
  return Number.isFinite(at) && fit && named && Object.entries(RIGHT).every(right);
}

/** The files of a message: {local, id?, name, about?, …}, `id` once it is on the server. */
export const filesOf = ({ fields }) => fields.files ?? [];

/** The fields as the server is to have them. */
export const onWire = ({ files, ...fields }) =>
  files ? { ...fields, files: files.map(({ id, name, about }) => ({ id, name, about })) } : fields;

/** What a command changes, in its history; undefined for a message that is yet to be made. */
function thing({ command, fields, epoch }) {
  if (command === "say") return undefined;
  const { text, on, topic, ...names } = fields; // what it sets; the rest says of what
  return JSON.stringify([epoch, command === "delete" ? "edit" : command, names]);
}

/**
 * An entry is {cid, command, fields, at, epoch, person: {user}, sent?, failed?, old?, anew?}: `sent`
 * when it first went out and is not answered, `failed` why it will not go by itself, `old` if that is
 * because the server may have forgotten its cid, `anew` if its files go there for a second time.
 */
export class Entries {
  epoch = null; // of the history; null: not known here

  constructor(storage, room) {
    Object.assign(this, { storage, start: `${room}:outbox:` });
  }

  /** Oldest first. */
  get all() {
    const cids = this.storage.keys(this.start).map((key) => this.cidOf(key));
    return cids.map((cid) => this.find(cid)).filter(Boolean).sort((a, b) => a.at - b.at);
  }

  /** Those whose files are all on the server, behind nothing on their thing that was sent and may
   *  still arrive. */
  get free() {
    const { all } = this;
    const ahead = (entry, n) => all.slice(0, n).some((old) => old.sent && thing(old) === thing(entry));
    const ready = (entry) => filesOf(entry).every(({ id }) => id);
    return all.filter((entry, n) => ready(entry) && (!thing(entry) || !ahead(entry, n)));
  }

  find(cid) {
    const text = this.storage.text(this.start + cid);
    return text === null ? null : this.#inThis(entryIn(cid, text));
  }

  /** Keeps a new one, in place of what it would undo and what nobody has sent yet. */
  put(entry) {
    const idle = this.all.filter((old) => !old.sent && thing(old) && thing(old) === thing(entry));
    this.save(entry);
    idle.forEach(({ cid }) => this.remove(cid));
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

  /** What a message answers is one of the history that its tab knew when it was written. */
  #inThis(entry) {
    const other = entry?.command === "say" && this.epoch !== null && entry.epoch !== this.epoch;
    if (!other) return entry;
    const { reply, ...fields } = entry.fields;
    return { ...entry, fields };
  }
}

/** The entry in what is kept under its key; null if it was cut short or overwritten. */
export function entryIn(cid, text) {
  try {
    const { text: first, ...rest } = JSON.parse(text);
    // The first version kept messages only, by their text, and not whether they were sent.
    const entry = first === undefined ? rest : { command: "say", fields: { text: first }, sent: rest.at, ...rest };
    return isWhole(entry) ? { cid, ...entry } : null;
  } catch {
    return null;
  }
}

const tab = newId();

/** Does `work` while no other tab of this browser does. False: another is at it, until `busy(ms)`. */
export async function alone(storage, name, work, busy) {
  const { locks } = globalThis.navigator ?? {}; // none on plain http
  if (locks) return locks.request(storage.prefix + name, work);
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
