// Wires the parts of the page that can wait, as main.js does those that cannot.

import { nameDay } from "./row.js";

/** Makes the parts of `page` from the modules that were fetched. */
export function wire(page, { People, Editor, Elsewhere, Gaps, wireViewport, wirePictures }) {
  const { boot, say, language, storage, timeline, deeds, rooms } = page;
  const people = new People({ ...boot, say, language, storage });
  const kept = { storage, room: boot.room, epoch: page.outbox.epoch };
  page.editor = new Editor({ timeline, limit: boot.limits.text, say, kept, on: deeds });
  page.elsewhere = new Elsewhere({
    ...page.sending,
    room: boot.room,
    address: (room) => page.address(room),
    changed: () => rooms.mark(),
  });
  rooms.mark();
  wireViewport();
  wirePictures(() => deeds.warn(say("files.pictures")));
  rollDays(timeline.col, language);
  performance.mark("parts-ready");
  return { people, editor: page.editor, elsewhere: page.elsewhere, gaps: new Gaps(timeline, say) };
}

/** Days are called anew at midnight: what was today is yesterday. */
function rollDays(col, language) {
  const midnight = new Date();
  midnight.setHours(24, 0, 1, 0);
  setTimeout(() => {
    col.querySelectorAll(".day").forEach((row) => nameDay(row, language));
    rollDays(col, language);
  }, midnight - Date.now());
}
