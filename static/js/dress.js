// Dresses rows in what comes with a message besides its text, once the late parts are there.

/** From now on every row that is painted; at once those that are there. */
export function wireDress(timeline, reactions) {
  timeline.dress = (row, message) => reactions.show(row, message);
  timeline.scroll.hold(() => {
    for (const row of timeline.col.querySelectorAll(".msg")) timeline.dress(row, timeline.message(row));
  });
}
