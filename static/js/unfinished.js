// Owns half edits of one room, on disk: what is being written over a message and not yet saved.

export class Unfinished {
  /** `epoch`: of the history in which an id means its message; it changes with a restored backup. */
  constructor({ storage, room, epoch }) {
    Object.assign(this, { storage, epoch, start: `${room}:edit:` });
  }

  text(id) {
    return this.storage.text(this.#key(id));
  }

  keep(id, text) {
    this.storage.keep(this.#key(id), text);
  }

  remove(id) {
    this.storage.remove(this.#key(id));
  }

  /** Takes out those that belong to no message, and gives the texts. */
  takeOrphans(known) {
    const keys = this.storage.keys(this.start).filter((key) => !known.includes(this.#id(key)));
    const texts = keys.map((key) => this.storage.text(key));
    keys.forEach((key) => this.storage.remove(key));
    return texts;
  }

  /** Ids of the messages that half an edit belongs to. */
  get ids() {
    return this.storage.keys(this.start).map((key) => this.#id(key)).filter(Boolean);
  }

  #key(id) {
    return `${this.start}${this.epoch}:${id}`;
  }

  #id(key) {
    const [epoch, id] = key.slice(this.start.length).split(":");
    return epoch === this.epoch ? Number(id) : 0;
  }
}
