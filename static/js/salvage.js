// Saves what is left of damaged entries of the outbox. Comes after the first messages: what cannot be
// read is passed over until then, and is not sent.

import { entryIn, roomOf } from "./entries.js";

/** Keeps the text of each entry that was cut short or overwritten, not to be sent unseen: `failed`
 *  says why. What has none goes. */
export function salvage(storage, failed) {
  for (const key of storage.keys("").filter(roomOf)) {
    const kept = storage.text(key) ?? "";
    if (entryIn("", kept)) continue;
    const text = textIn(kept);
    if (text.trim() === "") storage.remove(key);
    else storage.write(key, { command: "say", fields: { text }, at: Date.now(), failed });
  }
}

/** The longest beginning of a text that a damaged entry still has. */
function textIn(damaged) {
  const [, inside = ""] = /"text":"((?:[^"\\]|\\.)*)/s.exec(damaged) ?? [];
  try {
    return JSON.parse(`"${inside}"`);
  } catch {
    return inside;
  }
}
