// Owns what the tabs of one person in this browser agree on: which rooms they show, which of them is
// being looked at, and which one speaks of a room. Web Locks are the browser's own list of its tabs:
// exact, and a tab that is gone holds none. Where there are none, each tab is alone.

const attentive = () => document.visibilityState === "visible" && document.hasFocus();
const forever = () => new Promise(() => {});

export class Tabs {
  #mine = new Set(); // names of locks this tab holds
  #stopLooking = null;

  /** `name`: what the names of its locks begin with. */
  constructor(name, room) {
    Object.assign(this, { name, room, locks: navigator.locks });
    if (!this.locks) return;
    this.#hold("first");
    this.#hold(`shows ${room}`);
    for (const type of ["focus", "blur", "visibilitychange"]) addEventListener(type, () => this.#look());
    this.#look();
  }

  /** Is it this tab that speaks of a room now? No tab does of a room that one of them has in view. */
  async speaksOf(room) {
    if (!this.locks) return room === this.room && !attentive();
    if (!this.#mine.has(room === this.room ? `shows ${room}` : "first")) return false;
    const { held } = await this.locks.query();
    const names = new Set(held.map(({ name }) => name));
    const has = (what) => names.has(`${this.name}:${what}`);
    if (room === this.room) return !attentive() && !has(`looks ${room}`);
    return !has(`shows ${room}`);
  }

  /** Held until the tab is gone; then another of those that wait has it. */
  #hold(what) {
    this.locks.request(`${this.name}:${what}`, () => (this.#mine.add(what), forever()));
  }

  #look() {
    if (attentive() === Boolean(this.#stopLooking)) return;
    if (this.#stopLooking) return (this.#stopLooking = this.#stopLooking());
    const looking = new Promise((done) => (this.#stopLooking = done));
    this.locks.request(`${this.name}:looks ${this.room}`, { mode: "shared" }, () => looking);
  }
}
