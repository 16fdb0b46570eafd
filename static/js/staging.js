// Owns the files of a room's draft: the list of them is on disk beside the text, the files themselves
// are on the shelf. What becomes of them once they are sent is the outbox's. Comes after the first
// messages.

import { Chips } from "./chips.js";
import { newId } from "./entries.js";
import { lazily } from "./lazily.js";

const MB = 1_000_000; // bytes, as all sizes are told

/** An item of the list is {local, name, about, type, size, width?, height?, other?, original?}: of a
 *  picture that was made smaller, `other` bytes are those of its other size. */
export class Staging {
  #turn = Promise.resolve(); // they are made ready one after the other
  #busy = 0; // not ready yet
  #refused = 0;
  #sending = false;

  /** `key`: where the list is kept; `on`: {warn(detail), alert(text), tell(text), changed()}. */
  constructor({ composer, shelf, storage, key, room, limits, say, on }) {
    Object.assign(this, { composer, shelf, storage, key, room, limits, say, on });
    const shrink = lazily("shrink", (made) => made.shrink);
    this.shrink = async (file) => (await shrink())?.(file).catch(() => null);
    const details = lazily("details", ({ Details }) => new Details(this), "settings");
    const pressed = async (name, local, button) => {
      if (name === "remove") this.remove(local);
      else (await details())?.open(local, button);
    };
    this.chips = new Chips({ area: composer.area, shelf, say, pressed });
    document.addEventListener("submit", (event) => this.#hold(event), true);
    addEventListener("storage", (event) => storage.own(event.key) === key && this.show());
    this.show();
  }

  /** Read anew each time: another tab may have changed it. */
  get items() {
    return this.storage.read(this.key, []);
  }

  find(local) {
    return this.items.find((item) => item.local === local);
  }

  /** Takes files as a person gives them. */
  add(files) {
    const free = Math.max(0, this.limits.files - this.items.length - this.#busy);
    if (files.length > free) this.on.warn(this.say("stage.many", { n: this.limits.files }));
    for (const file of files.slice(0, free)) {
      const local = newId();
      const name = this.chips.free(file.name);
      this.chips.begin(local, name);
      this.#busy += 1;
      const done = this.#turn.then(() => this.#prepare(local, name, file)).finally(() => (this.#busy -= 1));
      this.#turn = done.catch(reportError); // the next one comes all the same
    }
  }

  /** Those of a message that was taken back are staged again, before what is here. */
  restore(files) {
    const back = files.map(({ id, ...item }) => item).filter(({ local }) => !this.find(local));
    this.#keep([...back, ...this.items]);
  }

  remove(local) {
    this.chips.drop(local);
    this.shelf.remove(local);
    this.#keep(this.items.filter((item) => item.local !== local));
  }

  /** Something of an item is another now. */
  change(local, what) {
    this.#keep(this.items.map((item) => (item.local === local ? { ...item, ...what } : item)));
  }

  /** The picture goes in its other size, from now on. */
  async swap(local) {
    const { other, ...record } = (await this.shelf.get(local)) ?? {};
    const item = this.find(local);
    if (!other || !item) return;
    const { name, blob, width, height } = record;
    const now = { name: other.name, type: other.blob.type, size: other.blob.size, width: other.width, height: other.height };
    await this.shelf.put(local, { ...record, ...now, blob: other.blob, other: { name, blob, width, height } });
    this.change(local, { ...now, other: blob.size, original: !item.original });
  }

  /** The draft has gone out, and what is in the list with it. */
  sent() {
    for (const local of this.chips.refused) this.chips.drop(local);
    this.show();
  }

  /** Shows the list as it is on disk. */
  show() {
    const { items } = this;
    for (const local of this.chips.ready) if (!items.some((item) => item.local === local)) this.chips.drop(local);
    for (const item of items) this.chips.show(item);
    this.composer.measure();
    this.on.changed();
  }

  #keep(items) {
    if (items.length > 0) this.storage.write(this.key, items);
    else this.storage.remove(this.key);
    this.show();
  }

  // --- making ready

  async #prepare(local, name, file) {
    if (!this.chips.has(local)) return; // taken out again
    const whole = await file.slice(0, 1).arrayBuffer().then(() => true, () => false);
    if (!whole) return this.#refuse(local, name, this.say("stage.unread")); // a folder, or it is gone
    const made = (file.type.startsWith("image/") && (await this.shrink(file))) || { blob: file };
    const limit = this.limits.file;
    if (made.blob.size > limit) return this.#refuse(local, name, this.say("stage.large", { n: Math.floor(limit / MB) }));
    await this.#take(local, name, made);
  }

  async #take(local, name, { blob, preview, original, ...size }) {
    const item = { local, name: named(name, blob), about: "", type: blob.type, size: blob.size, ...size };
    const other = original && original.blob.size <= this.limits.file ? { name, ...original } : undefined;
    if (other) Object.assign(item, { other: other.blob.size, original: false });
    const kept = await this.shelf.put(local, { ...item, room: this.room, blob, preview, other });
    if (!this.chips.has(local)) return this.shelf.remove(local); // taken out meanwhile
    if (!kept) this.on.warn(this.say("stage.unkept"));
    this.#keep([...this.items, item]);
    this.on.tell(this.say("stage.added", { name: item.name }));
  }

  #refuse(local, name, why) {
    if (!this.chips.has(local)) return;
    this.#refused += 1;
    this.chips.refuse(local, why);
    this.on.alert(`${name}: ${why}`);
  }

  /** What is sent while a file is not ready waits for it; and for the person, if that cannot be sent. */
  async #hold(event) {
    const { form } = this.composer;
    if (event.target !== form || this.#busy === 0) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#sending) return;
    this.#sending = true;
    const refused = this.#refused;
    while (this.#busy > 0) await this.#turn;
    this.#sending = false;
    if (refused === this.#refused) form.requestSubmit();
  }
}

/** A picture that was made one of another kind says so. */
const named = (name, { type }) =>
  type === "image/jpeg" && !/\.jpe?g$/i.test(name) ? name.replace(/(\.\w{1,5})?$/, ".jpg") : name;
