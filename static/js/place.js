// Owns the place in the log that one comes to, where that is not its end: the message that the address
// names, or where one was reading when the room was left. Fetched when there is such a place.

const TINTED = 1_200; // ms a message that was looked for is tinted
const cameByLink = () => performance.getEntriesByType("navigation")[0]?.type === "navigate";

/** Goes there. What is at the end counts as read only if one comes back to it. */
export async function come(page) {
  if (location.hash) await follow(page);
  else if (cameByLink()) await goOn(page);
  page.reading.held = false;
  page.reading.update();
}

/** Shows the message that the address names at a quarter of the height, and tints it. */
async function follow(page) {
  const { timeline } = page;
  const id = Number(/^#m(\d+)$/.exec(location.hash)?.[1]);
  const row = id && (await find(timeline, id));
  if (row === undefined) page.later(({ deeds }) => deeds.warn(page.say("log.nowhere")));
  if (!row) return;
  timeline.scroll.readFrom(row);
  timeline.stop.set(row);
  row.classList.add("reached");
  setTimeout(() => row.classList.remove("reached"), TINTED);
}

/** Goes on where one was, unless there is something newer to read. */
async function goOn(page) {
  const { id, top } = page.storage.read(`${page.boot.room}:place`, {});
  if (!id || page.reading.counts.unread > 0) return;
  const row = await find(page.timeline, id);
  if (row) page.timeline.scroll.readFrom(row, top);
}

/** A message, loaded or not; undefined if there is none, null if the line is down. */
async function find(timeline, id) {
  const there = timeline.row(id) || (await timeline.history.around(id).catch(() => null));
  return there === null ? null : timeline.row(id);
}
