// The emoji that can be chosen, in groups, and found by what people call them. The list is fetched
// on first use.

let list = null;

/** [{title, emoji: [{emoji, name, words}]}]; rejected where the list cannot be had. */
export function groups() {
  list ??= load().catch((error) => {
    list = null; // asked for again the next time
    throw error;
  });
  return list;
}

async function load() {
  const answer = await fetch(new URL("../emoji.txt", import.meta.url));
  if (!answer.ok) throw new Error(answer.statusText);
  const parts = (await answer.text()).split(/^# /m).slice(1);
  return parts.map((part) => {
    const [title, ...lines] = part.trim().split("\n");
    return { title, emoji: lines.map(entry) };
  });
}

/** A line of the list: an emoji, its name, and after a semicolon what else it is looked for by. */
function entry(line) {
  const [, emoji, name, more] = /^(\S+) ([^;]+)(?:; (.+))?$/.exec(line);
  return { emoji, name, named: parts(name), words: parts(more ?? "") };
}

const parts = (text) => fold(text).split(/[\s_-]+/).filter(Boolean);
const fold = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** What is called so, best first: by its name, the beginning of it, a word in it, another word. */
export async function find(letters) {
  const sought = parts(letters);
  const whole = sought.join(" ");
  const all = (await groups()).flatMap(({ emoji }) => emoji);
  const begins = (words) => sought.every((part) => words.some((word) => word.startsWith(part)));
  const ranks = [
    ({ named }) => named.join(" ") === whole,
    ({ named }) => named.join(" ").startsWith(whole),
    ({ named }) => begins(named),
    ({ words }) => sought.every((part) => words.includes(part)),
    ({ named, words }) => begins([...named, ...words]),
  ];
  const ranked = all.map((one) => [ranks.findIndex((fits) => fits(one)), one]).filter(([rank]) => rank >= 0);
  return ranked.sort(([one], [other]) => one - other).map(([, { emoji, name }]) => ({ emoji, name }));
}
