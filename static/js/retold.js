// The quiet lines in the list when a room gets other settings. Fetched when that happens first.

import { addNote } from "./notes.js";
import { keepWords, waitWords } from "./rules.js";

/** Tells what is another now, to the eye and, unless the person did it, to who listens. */
export function tell(before, now, { timeline, announcer, you, say }) {
  const mine = now.by === you.name;
  for (const [sign, key, values] of news(before, now, say)) {
    const sentence = (name) => say(key, { name, ...values });
    addNote(timeline, sign, mine ? say("you") : now.by, sentence);
    if (!mine) announcer.say(sentence(now.by));
  }
}

/** The sign of each line, its sentence and what is in that. */
function news(before, now, say) {
  const { topic, mode, slow, keep } = now;
  const other = (key) => before[key] !== now[key];
  return [
    other("topic") && ["edit", topic ? "topic.was_set" : "topic.removed", { topic }],
    (other("mode") || (mode === "slow" && other("slow"))) && ["edit", `rules.was.${mode}`, { time: waitWords(slow, say) }],
    other("private") && ["lock", now.private ? "rules.was.private" : "rules.was.public"],
    other("keep") && ["clock", keep === null ? "rules.was.kept" : "rules.was.keep", { time: keepWords(keep, say) }],
  ].filter(Boolean);
}
