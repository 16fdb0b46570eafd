// What a name after `@` and letters after `:` may mean. Fetched with the first of these signs.

import { Completion } from "./completion.js";
import { element } from "./dom.js";
import { plain } from "./people.js";
import { initials } from "./words.js";

const MOST = 8; // offered
const MANY = 50; // people in a room; in one of more nobody can call all that are there
const HERE = "here";

/** Completes names and emoji in the boxes of the page; its list stands in `place`. */
export function makeCompletion(place, { findEmoji, ...known }) {
  return new Completion({ place, sources: [namesOf(known), emojiOf(findEmoji, known.say)] });
}

/** People of the room, and others who have written what is loaded; and all that are there. */
function namesOf({ people, model, you, say }) {
  let authors = null;
  return {
    sign: /(?<![\p{L}\p{N}])@((?:[^\s@](?:[^\n@]{0,60}[^\s@])?)?)$/u,
    label: say("people.label"),
    find(letters) {
      const sought = plain(letters);
      if (!authors || sought === "") authors = model.messages;
      const everybody = [...known(people, authors, say).values()].filter(({ user }) => user !== you.user);
      const found = everybody
        .map((person) => ({ ...person, typed: typedOf(person.name, sought) }))
        .filter(({ typed }) => typed)
        .sort((one, other) => one.typed[0].length - other.typed[0].length || one.rank - other.rank);
      const { total } = people.known;
      const here = total > 1 && total <= MANY && typedOf(HERE, sought);
      const all = { name: HERE, typed: here, state: say("names.all") };
      return [...found.slice(0, here ? MOST - 1 : MOST), ...(here ? [all] : [])].map(personOption);
    },
  };
}

/** Emoji by what they are called; `find(letters)` gives [{emoji, name}]. */
function emojiOf(find, say) {
  return {
    sign: /(?<![\p{L}\p{N}:/]):([\p{L}\p{N}_+-]{2,30})$/u,
    label: say("names.emoji"),
    async find(letters) {
      const found = await find(letters).catch(() => []);
      return found.slice(0, MOST).map(({ emoji, name }) => {
        const typed = typedOf(name, plain(letters)) ?? ["", "", name];
        return { text: emoji, parts: [part("glyph", emoji), marked(typed)] };
      });
    },
  };
}

/** Everybody by user: {user, name, color, state, rank}, who is there first. */
function known({ known: { people, total } }, authors, say) {
  const found = new Map();
  const elsewhere = people.length < total ? "" : say("names.elsewhere"); // unless some are not named
  for (const { user, name, color, here = true } of people) {
    found.set(user, { user, name, color, state: say(here ? "people.here" : "people.away"), rank: here ? 0 : 1 });
  }
  const others = authors.filter(({ user }) => !people.some((person) => person.user === user));
  for (const { user, name, color } of others) found.set(user, { user, name, color, state: elsewhere, rank: 2 });
  return found;
}

/** A name in three parts, of which the second is what was typed: the beginning of one of its words. */
function typedOf(name, sought) {
  const starts = [0, ...[...name.matchAll(/(?<=[\s.-])\S/gu)].map(({ index }) => index)];
  const start = starts.find((at) => plain(name.slice(at)).startsWith(sought));
  if (start === undefined) return null;
  let end = start;
  while (plain(name.slice(start, end)).length < sought.length || /^\p{M}/u.test(name.slice(end))) end += 1;
  return [name.slice(0, start), name.slice(start, end), name.slice(end)];
}

function personOption({ name, color, typed, state }) {
  const face = part(color === undefined ? "av s all" : `av s a${color}`, color === undefined ? "@" : initials(name));
  face.ariaHidden = "true";
  return { text: `@${name}`, parts: [face, marked(typed), part("sub", state)] };
}

function marked([before, typed, after]) {
  const made = element("span", before, element("b", typed), after);
  made.dir = "auto";
  return made;
}

function part(name, text) {
  const made = element("span", text);
  made.className = name;
  return made;
}
