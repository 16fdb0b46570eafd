// What holds in a room, in words, and what it means for the person. Pure: the clock is passed in.

const MINUTE = 60; // seconds
const YEAR = 365; // days
// The settings of a room that nobody has arranged; on the wire what is so is left out.
const UNSET = { topic: "", mode: "open", slow: 0, private: false, keep: null };

export const MODES = ["open", "slow", "announce", "locked"];

/** The settings as they hold: nobody writes where the mode is damaged, or one that this page does not know. */
export function settingsOf(told) {
  const settings = { ...UNSET, ...told };
  return MODES.includes(settings.mode) ? settings : { ...settings, mode: "locked" };
}

const WRITERS = ["owner", "moderator", "bot"]; // where only announcements are made

/** A time in seconds as the key of its unit and how many of these: "minutes", 5. */
const inUnits = (seconds) => (seconds % MINUTE ? ["seconds", seconds] : ["minutes", seconds / MINUTE]);

/** "30 seconds", "5 minutes". */
export function waitWords(seconds, say) {
  const [unit, n] = inUnits(seconds);
  return say(`rules.${unit}`, { n });
}

/** "90 days", "a year", "an hour": how long messages are kept; not for those kept for ever. */
export function keepWords(keep, say) {
  if (keep === 0) return say("rules.hour");
  return keep % YEAR ? say("rules.days", { n: keep }) : say("rules.years", { n: keep / YEAR });
}

/** Who may write, in a few words; "" if everybody may as they like. */
export function modeWords({ mode, slow }, say) {
  if (mode === "slow") return say("rules.slow", { time: waitWords(slow, say) });
  return mode === "announce" || mode === "locked" ? say(`rules.${mode}`) : "";
}

/** What the header says of a room, each in a few words. */
export function rulesOf(settings, say) {
  const { private: hidden, keep } = settings;
  const kept = keep === null ? "" : say("rules.keep", { time: keepWords(keep, say) });
  return [hidden ? say("rules.private") : "", modeWords(settings, say), kept].filter(Boolean);
}

/** Why the person cannot write now: {why, until}, or null. What the server decides by
 *  (rules/access.py), said before it has to be. */
export function barredBy({ role = "member", muted = 0 }, { mode }, now) {
  if (muted > now) return { why: "muted", until: muted };
  if (mode === "locked") return { why: "room_locked" };
  return mode === "announce" && !WRITERS.includes(role) ? { why: "announcements" } : null;
}
