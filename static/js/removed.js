// Says to whoever was removed why, until when, and what they can do. Fetched when somebody is.

import { fullTime } from "./times.js";

const FOREVER = 253_402_300_800_000; // ms: the end of time, on the wire

/** Asks the server why the person may not be here; what was typed stays, to be copied. */
export async function tellRemoved({ composer, root, room }, strip) {
  composer.area.readOnly = true;
  composer.button.ariaDisabled = "true";
  const answer = await fetch(`${room}/messages?limit=1`, { headers: { Accept: "application/json" } }).catch(() => null);
  const { code, until } = (await answer?.json().catch(() => null)) ?? {};
  if (code === "banned") strip.stays(banned(until));
  else if (code === "bad_room") strip.stays({ key: "removed.room", kind: "bad", button: "error.home", act: () => location.assign(root) });
}

function banned(until) {
  const chat = document.querySelector("#rooms-title").textContent;
  if (until >= FOREVER) return { key: "removed.ever", kind: "bad", values: { chat } };
  const values = { chat, when: fullTime(until) };
  return { key: "removed.until", kind: "bad", values, button: "join.retry", act: () => location.reload() };
}
