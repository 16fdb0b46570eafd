// Owns what the tabs of one person in this browser agree on: which rooms they show, which of them is
// being looked at, and which one speaks of a room. Web Locks are the browser's own list of its tabs:
// exact, and a tab that is gone holds none. Where there are none, each tab is alone.

const attentive = () => document.visibilityState === "visible" && document.hasFocus();

export class Tabs {
  #mine = new Set(); // names of locks this tab holds
  #going; // aborted when the page is left: it may be kept and come back, and must not speak meanwhile
  #stopLooking = null;

  /** `name`: what the names of its locks begin with. */
  constructor(name, room) {
    Object.assign(this, { name, room, locks: navigator.locks });
    if (!this.locks) return;
    this.#come();
    addEventListener("pagehide", () => this.#go());
    addEventListener("pageshow", ({ persisted }) => persisted && this.#come());
    for (const type of ["focus", "blur", "visibilitychange"]) addEventListener(type, () => this.#look());
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

  #come() {
    this.#going = new AbortController();
    this.#hold("first");
    this.#hold(`shows ${this.room}`);
    this.#look();
  }

  #go() {
    this.#going.abort();
    this.#mine.clear();
    this.#stopLooking = this.#stopLooking?.();
  }

  /** Held until the page is left; then another tab of those that wait has it. */
  #hold(what) {
    const { signal } = this.#going;
    const left = new Promise((done) => signal.addEventListener("abort", done));
    const held = () => (this.#mine.add(what), left);
    this.locks.request(`${this.name}:${what}`, { signal }, held).catch(() => {}); // waited in vain
  }

  #look() {
    if (attentive() === Boolean(this.#stopLooking)) return;
    if (this.#stopLooking) return void (this.#stopLooking = this.#stopLooking());
    const looking = new Promise((done) => (this.#stopLooking = done));
    this.locks.request(`${this.name}:looks ${this.room}`, { mode: "shared" }, () => looking);
  }
}
