// What rules of the page are tested with: a disk that is a Map, and a clock that the test moves.

import { mock } from "node:test";

class Disk extends Map {
  getItem = (key) => this.get(key) ?? null;
  setItem = (key, text) => (this.set(key, text), Object.assign(this, { [key]: text }));
  removeItem = (key) => (this.delete(key), delete this[key]);
}

/** Web Locks of one browser. `close()`: the tab that holds one is gone, and the next has it. */
export class Locks {
  #queue = [];

  request(name, work) {
    return new Promise((resolve) => {
      const run = () => work().then(resolve).then(() => this.#queue[0] === run && this.close());
      if (this.#queue.push(run) === 1) run();
    });
  }

  close() {
    this.#queue.shift();
    this.#queue[0]?.();
  }
}

/** An empty disk, and no time has passed. Without Web Locks: node's own take time that is not the test's. */
export function begin() {
  globalThis.localStorage = new Disk();
  for (const name of ["getItem", "setItem", "removeItem"]) {
    Object.defineProperty(localStorage, name, { enumerable: false }); // Object.keys gives what is kept
  }
  Object.defineProperty(globalThis, "navigator", { value: {}, configurable: true, writable: true });
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: 1_700_000_000_000 });
}

/** What was begun goes as far as it can without time passing. */
export const settled = async () => {
  for (let turn = 0; turn < 50; turn += 1) await null;
};

export const passes = async (time) => {
  for (; time > 0; time -= 1_000) mock.timers.tick(Math.min(time, 1_000)), await settled();
};
