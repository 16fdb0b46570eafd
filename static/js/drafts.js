// Owns that what is half written is there on every device of a person: the draft on this disk follows
// what the server holds, and the other way round. Two that differ stay where they are: nothing typed
// is ever written over. Comes after the first messages.

const EVERY = 2_000; // ms between two tellings of a text that changes
const MOST = 8; // tellings remembered that were not heard back

export class Drafts {
  #held = new Map(); // room -> what the server holds
  #out = []; // what was told and not heard back, oldest first
  #last; // the newest of them, if it was told on this line
  #apart = false; // two devices wrote at once: what is in this box is told to nobody
  #online = false;
  #all = false; // the server has told everything on this line
  #told = 0;
  #timer = 0;

  /** `tell(key, text)` says it if there is a line, `sent(text)`: did this person send it here;
   *  `marked()` is called when a draft of some room is another. */
  constructor({ storage, room, limit, composer, tell, sent, marked }) {
    Object.assign(this, { storage, room, limit, composer, tell, sent, marked });
    addEventListener("pagehide", () => this.#say());
  }

  /** The line is there, or gone. */
  connected(state) {
    this.#online = state === "online";
    this.#all &&= this.#online;
    this.#last = undefined; // it may never have arrived
    this.#meet();
  }

  /** The server has told settings: all of them, the first time on a line. */
  heard(values) {
    const first = !this.#all;
    this.#all = true;
    if (first) this.#held.clear();
    for (const [key, text] of Object.entries(values)) {
      if (key.startsWith("draft:")) this.#hear(key.slice("draft:".length), text);
    }
    if (first) this.#meet();
  }

  /** The draft on this disk is another. */
  changed() {
    if (this.#mine(this.room) === "") this.#apart = false;
    clearTimeout(this.#timer);
    const wait = this.composer.text === "" ? 0 : this.#told + EVERY - Date.now(); // sent: at once
    if (this.#isNews) this.#timer = setTimeout(() => this.#say(), Math.min(wait, EVERY)); // by any clock
  }

  // --- from the server to this disk

  #hear(room, text) {
    this.#held.set(room, text);
    const mine = this.#mine(room);
    const told = room === this.room ? this.#out.indexOf(text) : -1;
    if (told >= 0) {
      this.#out.splice(0, told + 1);
      if (this.#out.length === 0) this.#last = undefined;
      this.#agree(room, text);
    } else if (this.#apart && room === this.room) {
      return; // until the box is empty
    } else if (mine === text) {
      this.#agree(room, text);
    } else if (text === this.#agreed(room)) {
      return; // what is here is newer
    } else if (mine === "" || mine === this.#agreed(room)) {
      this.#take(room, text);
    } else if (room === this.room && this.#out.length > 0 && text !== "") {
      this.#giveBack(room, text);
    }
  }

  #take(room, text) {
    this.#agree(room, text);
    this.#keep(`${room}:draft`, text);
    this.composer.stored(`${room}:draft`, text);
    this.marked();
  }

  /** What was told from here has gone over a text that nobody had seen here: it is put back. */
  #giveBack(room, text) {
    this.#apart = true;
    this.#out = [];
    this.#last = undefined;
    this.tell(`draft:${room}`, text);
  }

  // --- from this disk to the server

  /** What each has, where both are level. After a start the server holds nothing. */
  #meet() {
    if (!this.#online || !this.#all) return;
    const { room } = this;
    const mine = this.#mine(room);
    if (!this.#held.has(room) && mine !== "" && mine === this.#agreed(room)) {
      if (this.sent(mine)) this.#take(room, ""); // from another device, while this one was away
      else this.#agree(room, "");
    }
    this.changed();
  }

  /** There is something to tell, and it goes over nothing that is not known here. */
  get #isNews() {
    const mine = this.#mine(this.room);
    const agreed = this.#agreed(this.room);
    const held = this.#held.get(this.room) ?? "";
    const fits = mine.length <= this.limit || [...mine].length <= this.limit;
    const free = this.#all && !this.#apart && (held === "" || held === agreed);
    return free && fits && mine !== (this.#last ?? agreed);
  }

  #say() {
    clearTimeout(this.#timer);
    const mine = this.#mine(this.room);
    if (!this.#isNews || !this.tell(`draft:${this.room}`, mine)) return;
    this.#last = mine;
    this.#out = [...this.#out, mine].slice(-MOST);
    this.#told = Date.now();
  }

  // --- what is known of a room

  #mine(room) {
    return room === this.room ? this.composer.text : (this.storage.text(`${room}:draft`) ?? "");
  }

  /** What this browser and the server both had last. */
  #agreed(room) {
    return this.storage.text(`${room}:told`) ?? "";
  }

  #agree(room, text) {
    this.#keep(`${room}:told`, text);
  }

  #keep(key, text) {
    if (text === "") this.storage.remove(key);
    else this.storage.keep(key, text);
  }
}
