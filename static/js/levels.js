// What may disturb a person, by their settings. Pure: the clock is passed in.

const MORNING = 8; // o'clock

/** What they want to be told of in a room: "all", "mentions" or "none". */
export const levelOf = (kept, room) => kept.get(`level:${room}`) || kept.get("notify");

/** Until when a room is muted, in ms: Infinity for good, 0 if it is not. */
export function mutedUntil(kept, room, now) {
  const value = kept.get(`mute:${room}`);
  const until = value === "ever" ? Infinity : Number(value);
  return until > now ? until : 0;
}

/** Are these their quiet hours? They may go over midnight, by the clock of this device. */
export function isQuiet(kept, now) {
  const [from, to] = quietHours(kept);
  const at = new Date(now);
  const time = `${two(at.getHours())}:${two(at.getMinutes())}`;
  return from <= to ? from <= time && time < to : time >= from || time < to;
}

/** ["22:00", "07:30"], or two of the same for none. */
export function quietHours(kept) {
  const [, from = "", to = ""] = /^(\d\d:\d\d)-(\d\d:\d\d)$/.exec(kept.get("quiet")) ?? [];
  return [from, to];
}

/** The next morning after a time. */
export function morning(now) {
  const at = new Date(now);
  at.setHours(MORNING, 0, 0, 0);
  if (at <= now) at.setDate(at.getDate() + 1);
  return at.getTime();
}

const two = (number) => String(number).padStart(2, "0");
