// Owns a person's settings as this browser knows them: what the server has told, and laid over it
// what was changed here and is not told back yet. Knows no DOM and no line.

const WAITING = "kept"; // under this key, for all tabs of this browser

// What holds where a person has said nothing. What Enter does then depends on the device (composer.js).
const DEFAULTS = {
  theme: "system",
  size: "100",
  sound: "off",
  announce: "all",
  typing: "on",
  notify: "mentions",
};

export class Kept {
  #told;
  #seen; // what waited when this tab last looked
  #listeners = [];

  /** `tell(key, value)` says it to the server, if there is a line. */
  constructor({ values, storage, tell }) {
    Object.assign(this, { storage, tell });
    this.#told = { ...values };
    this.#seen = this.#waiting;
  }

  /** A setting, or its default; "" for one that has neither. */
  get(key) {
    return (this.#waiting[key] ?? this.#told[key]) || (DEFAULTS[key] ?? "");
  }

  /** Applies at once; the server hears of it now or at the next `live`. "" forgets it. */
  set(key, value) {
    if (value === this.get(key)) return;
    this.storage.write(WAITING, { ...this.#waiting, [key]: value });
    this.tell(key, value);
    this.#changed([key]);
  }

  /** The server has told settings. What waits here stays over them until it is told itself. */
  heard(values) {
    Object.assign(this.#told, values);
    const waiting = this.#waiting;
    this.#wait(Object.entries(waiting).filter(([key, value]) => values[key] !== value));
    this.#changed(Object.keys(values));
  }

  /** The line is there again: what was not told back may never have arrived. */
  live() {
    for (const [key, value] of Object.entries(this.#waiting)) this.tell(key, value);
  }

  /** What waits will never be told back. What was sent beside it and is right will be, all the same. */
  refused(detail) {
    const keys = Object.keys(this.#waiting);
    this.#wait([]);
    this.#changed(keys, detail);
  }

  /** Another tab of this browser has set something, or was told what waited: that is so, then. */
  stored(key) {
    if (key !== WAITING) return;
    const [before, waiting] = [this.#seen, this.#waiting];
    for (const name of Object.keys(before)) if (!(name in waiting)) this.#told[name] = before[name];
    this.#changed(Object.keys({ ...before, ...waiting }));
  }

  /** `listener(keys, refusal)` hears of settings that may have changed, and why if they were refused. */
  on(listener) {
    this.#listeners.push(listener);
  }

  // Read anew each time: another tab may have added to it.
  get #waiting() {
    return this.storage.read(WAITING, {}) ?? {};
  }

  #wait(entries) {
    if (entries.length === Object.keys(this.#waiting).length) return;
    if (entries.length > 0) this.storage.write(WAITING, Object.fromEntries(entries));
    else this.storage.remove(WAITING);
  }

  #changed(keys, refusal) {
    this.#seen = this.#waiting;
    for (const listener of this.#listeners) listener(keys, refusal);
  }
}
