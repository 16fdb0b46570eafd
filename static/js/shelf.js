// Owns the files that a person has chosen and the server does not have yet, as this browser keeps them:
// in IndexedDB, and in memory what the disk did not take. Knows no DOM, no room and no line.

const PATIENCE = 5_000; // ms to open the database: some engines never answer
const OLD = 24 * 3_600_000; // ms after which what nobody speaks of goes

/**
 * A record is {local, blob, name, about, room, user, at} and what else was put there. `name` is that of
 * the database, the same for all who use this chat in this browser; nobody sees the files of another
 * `user`. Never throws: what the disk refuses stays in memory.
 */
export class Shelf {
  #memory = new Map(); // local -> record
  #database = null; // being opened, or open
  #closed = false;

  constructor(name, user) {
    Object.assign(this, { name, user });
  }

  /** Keeps a file under a random id. False: only until the page closes. */
  async put(local, record) {
    if (this.#closed) return false;
    const whole = { at: Date.now(), ...record, local, user: this.user };
    const kept = await this.#do("readwrite", (files) => files.put(whole)).then(() => true, () => false);
    if (kept) this.#memory.delete(local);
    else this.#memory.set(local, whole);
    return kept;
  }

  /** The record, or undefined. */
  async get(local) {
    const found = this.#memory.get(local);
    return found ?? this.#do("readonly", (files) => files.get([this.user, local])).catch(() => undefined);
  }

  async remove(local) {
    this.#memory.delete(local);
    await this.#do("readwrite", (files) => files.delete([this.user, local])).catch(() => {});
  }

  /** All of a room, oldest first. */
  async list(room) {
    const onDisk = await this.#do("readonly", (files) => files.getAll(this.#mine)).catch(() => []);
    const all = new Map([...onDisk, ...this.#memory.values()].map((record) => [record.local, record]));
    return [...all.values()].filter((record) => record.room === room).sort((a, b) => a.at - b.at);
  }

  /** Takes out what has been here for a day, whosoever it is, and is `wanted(local)` by nobody. */
  async sweep(wanted) {
    const old = ({ local, at }) => at < Date.now() - OLD && !wanted(local);
    const all = await this.#do("readonly", (files) => files.getAll()).catch(() => []);
    const keys = all.filter(old).map(({ user, local }) => [user, local]);
    await Promise.all(keys.map((key) => this.#do("readwrite", (files) => files.delete(key)).catch(() => {})));
  }

  /** Something would be gone with the page. */
  get holdsOnly() {
    return this.#memory.size > 0;
  }

  /** Nothing of this person stays, nor what was shared and not taken (sw.js); nothing is put here again. */
  async forget() {
    this.#closed = true;
    this.#memory.clear();
    await globalThis.caches?.delete("shared").catch(() => {});
    await this.#do("readwrite", (files) => files.delete(this.#mine)).catch(() => {});
  }

  get #mine() {
    return IDBKeyRange.bound([this.user], [this.user, []]); // a list comes after every text
  }

  /** What one request gives, once it is on disk. A connection that was lost meanwhile is made anew. */
  async #do(mode, ask) {
    try {
      return await this.#once(mode, ask);
    } catch (error) {
      if (error.name !== "InvalidStateError" && error.name !== "UnknownError") throw error;
      this.#database = null;
      return this.#once(mode, ask);
    }
  }

  async #once(mode, ask) {
    this.#database ??= open(this.name);
    const database = await this.#database.catch((error) => ((this.#database = null), Promise.reject(error)));
    return new Promise((resolve, reject) => {
      const transaction = database.transaction("files", mode);
      const request = ask(transaction.objectStore("files"));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }
}

function open(name) {
  let timer = 0;
  const opened = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error("no answer")), PATIENCE);
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore("files", { keyPath: ["user", "local"] });
    request.onerror = () => reject(request.error);
    request.onsuccess = () => {
      const database = request.result;
      database.onversionchange = () => database.close(); // another tab is of a newer version
      resolve(database);
    };
  });
  return opened.finally(() => clearTimeout(timer));
}
