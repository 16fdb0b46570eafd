// Owns the question which tab may send: one at a time. Knows no DOM.

import { newId } from "./entries.js";

const LEASE = 5_000; // ms a tab may send without renewing, where there are no Web Locks
const tab = newId();

/** Does `work` while no other tab of this browser does. False: another is at it, until `busy(ms)`. */
export async function alone(storage, name, work, busy) {
  if (navigator.locks) return navigator.locks.request(storage.prefix + name, work);
  const key = `${name}:lease`;
  const take = () => storage.write(key, [tab, Date.now() + LEASE]);
  const [holder, until] = storage.read(key, [null, 0]);
  const rest = Math.min(until - Date.now(), LEASE); // also where the clock was set back
  if (holder !== tab && rest > 0) return busy(rest);
  take();
  const renewal = setInterval(take, LEASE / 3);
  try {
    await work();
  } finally {
    clearInterval(renewal);
    storage.remove(key);
  }
}
