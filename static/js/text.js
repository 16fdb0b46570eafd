// A message's text as DOM nodes, never as HTML: paragraphs, quotes, code, marks and links.

import { element } from "./dom.js";
import { graphemes } from "./words.js";

const SAFE = new Set(["http:", "https:", "mailto:"]);
const DEEPEST = 4; // marks inside marks
const FOLD = 20; // lines of code shown without folding

// What a person sees is where they go: there is no [label](url). Marks hug their text, so that
// 2 * 3 * 4 and snake_case stay what they are.
const INLINE = new RegExp(
  [
    "(?<tick>`+)(?<code>[^`\\n](?:[^\\n]*?[^`\\n])?)\\k<tick>(?!`)",
    "(?<link>(?:https?://|mailto:)[^\\s<>\"`]+)",
    "\\*\\*(?<strong>(?=\\S)[^\\n]*?[^\\s*])\\*\\*",
    "(?<![\\w*])\\*(?<em>(?=[^\\s*])[^\\n*]*?[^\\s*])\\*(?![\\w*])",
    "~~(?<s>(?=\\S)[^\\n]*?\\S)~~",
  ].join("|"),
  "gu",
);
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*\d]\uFE0F?\u20E3)/u;

/** One to three emoji and nothing else. */
export function isEmojiOnly(text) {
  const bare = text.trim();
  if (bare === "" || bare.length > 60) return false;
  const parts = graphemes(bare.replace(/\s+/g, ""));
  return parts.length <= 3 && parts.every((part) => EMOJI.test(part));
}

/** The text as nodes: paragraphs, quotes, fenced code; marks and links within. */
export function format(text, say) {
  const fragment = document.createDocumentFragment();
  for (const [kind, lines] of blocks(text)) fragment.append(BLOCKS[kind](lines, say));
  return fragment;
}

/** Splits a text into runs of lines of one kind: [["text", lines], ["quote", …], ["code", …]]. */
function blocks(text) {
  const found = [];
  const lines = text.split("\n");
  for (let n = 0; n < lines.length; n += 1) {
    const end = lines[n].startsWith("```") ? lines.indexOf("```", n + 1) : -1;
    if (end > n) {
      found.push(["code", lines.slice(n + 1, end)]);
      n = end;
      continue;
    }
    const kind = lines[n].startsWith(">") ? "quote" : "text";
    if (found.at(-1)?.[0] === kind) found.at(-1)[1].push(lines[n]);
    else found.push([kind, [lines[n]]]);
  }
  return found.filter(([kind, body]) => kind !== "text" || body.some((line) => line.trim()));
}

const BLOCKS = {
  text: (lines) => element("p", inline(lines.join("\n").replace(/^\n+|\n+$/g, ""))),
  quote: (lines) =>
    element("blockquote", inline(lines.map((line) => line.replace(/^> ?/, "")).join("\n"))),
  code: (lines, say) => {
    const pre = element("pre", element("code", lines.join("\n")));
    pre.tabIndex = 0; // it scrolls sideways: the keyboard must reach it
    pre.dir = "ltr";
    const copy = element("button", say("text.copy"));
    Object.assign(copy, { className: "copy", type: "button" });
    const box = element("div", pre, copy);
    box.className = "code";
    if (lines.length <= FOLD) return box;
    return element("details", element("summary", say("text.code", { n: lines.length })), box);
  },
};

function inline(text, depth = 0) {
  const fragment = document.createDocumentFragment();
  let done = 0;
  for (const { 0: whole, index, groups } of text.matchAll(INLINE)) {
    const node = mark(whole, groups, depth);
    if (!node) continue;
    fragment.append(text.slice(done, index), node);
    done = index + (groups.link ? node.textContent : whole).length;
  }
  fragment.append(text.slice(done));
  return fragment;
}

function mark(whole, { code, link, strong, em, s }, depth) {
  if (link) return anchor(link);
  if (code) return element("code", code);
  if (depth === DEEPEST) return null;
  if (strong) return element("strong", inline(strong, depth + 1));
  if (em) return element("em", inline(em, depth + 1));
  return element("s", inline(s, depth + 1));
}

/** A link, without the sentence around it. Null if it leads nowhere. */
function anchor(text) {
  const url = text.slice(0, endOfUrl(text)).replace(/[.,;:!?'*~_]+$/u, "");
  if (!URL.canParse(url) || !SAFE.has(new URL(url).protocol)) return null;
  const a = element("a", url);
  Object.assign(a, { href: url, target: "_blank", rel: "noopener noreferrer nofollow" });
  return a;
}

/** Where the first bracket closes that was not opened within: "(see e.org/a_(b))". */
function endOfUrl(text) {
  const open = [];
  for (let n = 0; n < text.length; n += 1) {
    const closes = ")]}".indexOf(text[n]);
    if ("([{".includes(text[n])) open.push("([{".indexOf(text[n]));
    else if (closes >= 0 && open.pop() !== closes) return n;
  }
  return text.length;
}
