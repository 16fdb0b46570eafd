// Wires what belongs to answers and names: quotes and the ways to what is quoted and back, what the
// draft answers, and the list of who may be called. Comes after the first messages.

import { lazily } from "./lazily.js";
import { Quotes } from "./quotes.js";
import { findEmoji } from "./reactions.js";
import { Replying } from "./replying.js";

const BOXES = ".composer textarea, .editor textarea";
const SIGN = /[@:]\S*$/u; // somebody may be about to call a name, or an emoji

export function wireAnswers(page, people, deeds) {
  const { boot, say, storage, timeline, desk, log } = page;
  const quotes = new Quotes({
    timeline,
    you: boot.you,
    say,
    load: (query) => desk.load(query),
    changed: () => replying.show(),
  });
  const replying = new Replying({ composer: page.composer, model: log, quotes, storage, key: page.key("reply") });
  page.reply = (row) => replying.begin(timeline.message(row).id);
  deeds.answer = (id) => replying.begin(id);
  timeline.waiting.called = (text) => called(text, people.known, boot.you);
  wireCompletion(page, people);
  return { quotes, replying, jumps: wireJumps(timeline, () => deeds.warn(say("log.nowhere"))) };
}

/** Who is probably meant by a text of mine: so its lines stand as they will when the server has found out. */
function called(text, { people, here }, you) {
  const others = people.filter(({ user, name }) => user !== you.user && text.includes(`@${name}`));
  const all = here > 1 && /@here/i.test(text) ? [["", "here"]] : [];
  return Object.fromEntries([...others.map(({ user, name }) => [user, name]), ...all]);
}

/** A quote is a link to what is quoted; with `jumps.js` there is a way back too. */
function wireJumps(timeline, lost) {
  let jumps = null;
  const made = lazily("jumps", ({ Jumps }) => (jumps = new Jumps({ timeline, lost })));
  timeline.log.addEventListener("click", async (event) => {
    const quote = event.target.closest("a.quote");
    if (!quote || event.ctrlKey || event.metaKey || event.shiftKey) return; // another tab, or window
    event.preventDefault();
    const { hash } = quote;
    if (await made()) jumps.to(Number(hash.slice(2)), quote.closest(".msg"));
    else location.hash = hash;
  });
  return { clear: () => jumps?.clear() };
}

/** What comes with the first sign that somebody writes. */
function wireCompletion({ boot, say, log, composer }, people) {
  const known = { people, model: log, you: boot.you, say, findEmoji };
  const made = lazily("suggestions", ({ makeCompletion }) => makeCompletion(composer.form, known));
  const first = async ({ target }) => {
    if (!target.matches(BOXES) || !SIGN.test(target.value.slice(0, target.selectionStart))) return;
    const completion = await made();
    if (!completion) return;
    document.removeEventListener("input", first); // from now on it listens itself
    completion.look(target);
  };
  document.addEventListener("input", first);
}
