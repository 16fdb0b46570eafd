// How times read that lie ahead, or some while back. Fetched with the dialogs that say them.

import { clock } from "./words.js";

const [MINUTE, DAY] = [60_000, 86_400_000]; // ms
const FOREVER = 253_402_300_800_000; // ms: the year 10000, as the server says it

/** "until Sunday", "until 14:30" of the day to come, "until 3 December", or "for ever". */
export function untilWhen(at, say, language) {
  if (at >= FOREVER) return say("until.ever");
  const ahead = at - Date.now();
  const style = ahead < 6.5 * DAY ? { weekday: "long" } : { day: "numeric", month: "long" };
  const when = ahead < DAY ? clock(at) : new Intl.DateTimeFormat(language, style).format(at);
  return say("until.then", { when });
}

/** "Here now", "Here in the last day", "Last here on 3 October": it is noted once a day. */
export function lastHere(at, say, language) {
  const ago = Date.now() - at;
  if (ago >= DAY) return say("devices.last", { day: dateOf(at, language) });
  return say(ago < 2 * MINUTE ? "devices.now" : "devices.lately");
}

/** A day with its month, with its year only if that is another one. */
export function dateOf(at, language) {
  const year = new Date(at).getFullYear() === new Date().getFullYear() ? undefined : "numeric";
  return new Intl.DateTimeFormat(language, { day: "numeric", month: "long", year }).format(at);
}

/** "8:41" */
export function minutes(left) {
  const seconds = Math.ceil(left / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
