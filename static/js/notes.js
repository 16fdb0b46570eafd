// A quiet line in the list: what happened in the room and is no message. It belongs to whoever was
// there: it is not counted, not read, and not there after a reload.

import { clone, element } from "./dom.js";

const WHO = "\u0000"; // where the name stands in a sentence

/** `sign` names the icon; `sentence(name)` says what `name` did. */
export function addNote({ chunks, newest, scroll }, sign, name, sentence) {
  const who = element("b", name);
  who.dir = "auto";
  const [before, after] = sentence(WHO).split(WHO);
  const note = element("p", clone(`sign-${sign}`), element("span", before, who, after));
  note.className = "note";
  note.dataset.to = newest; // what comes next has its place below
  scroll.hold(() => chunks.append(note));
}
