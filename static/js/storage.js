// What the browser keeps for one person: rooms, read marks, drafts, half edits, the outbox. Owns the
// person's part of localStorage, and in memory what the disk did not take. Knows no DOM.

const TYPED = /:(draft|edit|outbox|staged)(:|$)/; // keys of what a person wrote and nobody else has

const GONE = "gone"; // written for a moment, so that other tabs hear of it

const kind = (value) => (Array.isArray(value) ? "array" : typeof value);

/** Never throws: what is refused stays in memory, what is damaged is dropped. */
export class PersonStorage {
  #memory = new Map(); // key -> text
  #closed = false;

  constructor(name) {
    this.prefix = `${name}:`;
  }

  /** The text under a key, or null. */
  text(key) {
    if (this.#closed) return null;
    try {
      return this.#memory.get(key) ?? localStorage.getItem(this.prefix + key);
    } catch {
      return null;
    }
  }

  /** Keeps a text: on disk, or as good as it gets until the page closes. */
  keep(key, text) {
    if (this.#closed) return;
    try {
      localStorage.setItem(this.prefix + key, text);
      this.#memory.delete(key);
    } catch {
      this.#memory.set(key, text);
    }
  }

  /** The value under a key; the fallback if there is none, or one that cannot be of use. */
  read(key, fallback) {
    const text = this.text(key);
    if (text === null) return fallback;
    try {
      const value = JSON.parse(text);
      if (kind(value) === kind(fallback)) return value;
    } catch {
      // cut short or overwritten: as good as none
    }
    this.remove(key);
    return fallback;
  }

  write(key, value) {
    this.keep(key, JSON.stringify(value));
  }

  remove(key) {
    this.#memory.delete(key);
    try {
      localStorage.removeItem(this.prefix + key);
    } catch {
      return; // then nothing is there
    }
    for (const [waiting, text] of this.#memory) this.keep(waiting, text); // there may be space now
  }

  /** Every key that begins like this. */
  keys(start) {
    const found = [...this.#memory.keys(), ...this.#onDisk()];
    return [...new Set(found)].filter((key) => key.startsWith(start));
  }

  /** The key a `storage` event speaks of; null if it is not this person's. */
  own(key) {
    return key?.startsWith(this.prefix) ? key.slice(this.prefix.length) : null;
  }

  /** Whether something typed would be gone with the page. */
  get holdsTyped() {
    return [...this.#memory.keys()].some((key) => TYPED.test(key));
  }

  /** Nothing of this person stays in this browser, and no tab writes any of it again. */
  forget() {
    this.#closed = true;
    this.#memory.clear();
    try {
      for (const key of this.#onDisk()) localStorage.removeItem(this.prefix + key);
      localStorage.setItem(this.prefix + GONE, "");
      localStorage.removeItem(this.prefix + GONE);
    } catch {
      return; // then nothing is there, and nobody to tell
    }
  }

  /** Another tab has written under this key. */
  heard(key) {
    if (key !== GONE) return;
    this.#closed = true;
    this.#memory.clear();
  }

  #onDisk() {
    try {
      return Object.keys(localStorage).map((key) => this.own(key)).filter(Boolean);
    } catch {
      return [];
    }
  }
}
