// Dresses rows in what comes with a message besides its text. Comes after the first messages.

/** Each of `parts` shows its own in every row that is painted from now on; at once in those that are
 *  there. */
export function wireDress(timeline, parts) {
  timeline.dress = (row, message) => parts.forEach((part) => part.show(row, message));
  timeline.scroll.hold(() => {
    for (const row of timeline.col.querySelectorAll(".msg")) timeline.dress(row, timeline.message(row));
  });
}
