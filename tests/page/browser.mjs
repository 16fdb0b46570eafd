// A browser in which nothing happens by itself: time, sockets, requests, disks and locks as the page's
// scripts use them, moved only by what the test says. `tell(event)` hears what a tab does.

/** Lets everything that is ready run: whatever a page awaits by now, it has. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

/** One clock for all tabs; it stands still unless told otherwise. */
export class Clock {
  #timers = new Map(); // number -> {at, every, work, tab}
  #number = 0;

  constructor(now) {
    this.now = now;
  }

  set(tab, work, wait = 0, every = 0) {
    this.#timers.set(++this.#number, { at: this.now + Math.max(wait, 1), every, work, tab });
    return this.#number;
  }

  clear(number) {
    this.#timers.delete(number);
  }

  forget(tab) {
    for (const [number, timer] of this.#timers) if (timer.tab === tab) this.#timers.delete(number);
  }

  /** Each timer runs in its time. */
  async pass(time) {
    const end = this.now + time;
    for (let next = this.#next(end); next; next = this.#next(end)) await this.#run(...next);
    this.now = end;
  }

  /** The lid is closed: what came due meanwhile runs once, when it is opened. */
  async sleep(time) {
    const begin = this.now;
    this.now += time;
    const due = [...this.#timers].filter(([, { at }]) => at <= this.now).sort(([, a], [, b]) => a.at - b.at);
    for (const [number, timer] of due) {
      timer.at = begin + time;
      if (this.#timers.has(number)) await this.#run(number, timer);
    }
  }

  #next(end) {
    let first = null;
    for (const entry of this.#timers) if (entry[1].at <= end && !(first?.[1].at <= entry[1].at)) first = entry;
    return first;
  }

  async #run(number, timer) {
    this.now = timer.at;
    if (timer.every) timer.at += timer.every;
    else this.#timers.delete(number);
    timer.work();
    await settled();
  }
}

/** localStorage of one browser and its Web Locks; tabs hear what another one of them writes. */
export class Disk {
  tabs = new Set();
  #items = {};
  #queues = new Map(); // name of a lock -> those who want it; the first has it
  #written = []; // what other tabs have not heard of yet

  /** As one tab sees it. */
  storage(tab) {
    const methods = {
      getItem: (key) => (Object.hasOwn(this.#items, key) ? this.#items[key] : null),
      setItem: (key, text) => this.#write(tab, key, (this.#items[key] = String(text))),
      removeItem: (key) => delete this.#items[key] && this.#write(tab, key, null),
    };
    return new Proxy(this.#items, { get: (items, key) => methods[key] ?? items[key] });
  }

  locks(tab) {
    const request = (name, work) =>
      new Promise((resolve, reject) => {
        const run = async () => {
          await work().then(resolve, reject);
          this.#release(name, tab);
        };
        if (!this.#queues.has(name)) this.#queues.set(name, []);
        const queue = this.#queues.get(name);
        if (queue.push({ tab, run }) === 1) run();
      });
    return { request };
  }

  /** Storage events, until there are none. */
  async spread() {
    for (let next = this.#written.shift(); next; next = this.#written.shift()) {
      for (const tab of this.tabs) if (tab !== next.tab) tab.stored(next.key, next.text);
      await settled();
    }
  }

  leave(tab) {
    this.tabs.delete(tab);
    for (const name of this.#queues.keys()) this.#release(name, tab);
  }

  #write(tab, key, text) {
    if (this.tabs.size > 1) this.#written.push({ tab, key, text });
  }

  #release(name, tab) {
    const queue = this.#queues.get(name);
    const held = queue[0]?.tab === tab;
    this.#queues.set(name, held && this.tabs.has(tab) ? queue.slice(1) : queue.filter((one) => one.tab !== tab));
    if (held) this.#queues.get(name)[0]?.run();
  }
}

/** The globals of one tab. */
export function globals(tab, { clock, disk, locks, tell }) {
  class Today extends Date {
    constructor(...when) {
      super(...(when.length ? when : [clock.now]));
    }
    static now = () => clock.now;
  }
  class Socket {
    static OPEN = 1;
    readyState = 0;
    constructor(url) {
      this.number = tab.sockets.push(this) - 1;
      tell({ what: "connects", socket: this.number, url: String(url) });
    }
    send(text) {
      if (this.readyState === 0) throw new Error("InvalidStateError: the socket is not open yet");
      if (this.readyState === 1) tell({ what: "sends", socket: this.number, text });
    }
    close() {
      if (this.readyState < 2) tell({ what: "leaves", socket: this.number });
      this.readyState = 3;
    }
  }
  const fetch = (url, { signal } = {}) =>
    new Promise((resolve, reject) => {
      tab.requests.push({ resolve, reject });
      if (signal) clock.set(tab, () => reject(new Error("TimeoutError")), signal.time);
      tell({ what: "asks", request: tab.requests.length - 1, url: String(url) });
    });
  let made = 0;
  return {
    WebSocket: Socket,
    Date: Today,
    fetch,
    URL,
    URLSearchParams,
    AbortController,
    AbortSignal: { timeout: (time) => ({ time }) },
    setTimeout: (work, wait) => clock.set(tab, work, wait),
    setInterval: (work, wait) => clock.set(tab, work, wait, wait),
    clearTimeout: (number) => clock.clear(number),
    clearInterval: (number) => clock.clear(number),
    localStorage: disk.storage(tab),
    navigator: locks ? { locks: disk.locks(tab) } : {},
    crypto: { randomUUID: () => `${tab.name}-${tab.life}-${String(++made).padStart(6, "0")}` },
  };
}
