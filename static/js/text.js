// A message's text as DOM nodes, never as HTML: paragraphs, quotes, code, marks and links.

import { element } from "./dom.js";
import { graphemes } from "./words.js";

const SAFE = new Set(["http:", "https:", "mailto:"]);
const DEEPEST = 4; // marks inside marks
const LONG = { text: 24, code: 20 }; // lines; what has more is shown in part
const SHOWN = 8; // lines of folded code, as in text.css
const WIDTH = 70; // characters a line is taken to hold: measuring would lay out every row
const EMPTY = /\n(?:[^\S\n]*\n){3,}/g; // more than two empty lines

// What a person sees is where they go: there is no [label](url). Marks hug their text, so that
// 2 * 3 * 4 and snake_case stay what they are.
const INLINE = [
  "(?<tick>`+)(?<code>[^`\\n](?:[^\\n]*?[^`\\n])?)\\k<tick>(?!`)",
  "(?<link>(?:https?://|mailto:|(?<![\\w.@/-])www\\.)[^\\s<>\"`]+)",
  "(?<mail>(?<![\\w.@/:%+-])[\\w%+-]+(?:\\.[\\w%+-]+)*@(?!\\dx\\.)[\\p{L}\\d-]+(?:\\.[\\p{L}\\d-]+)*\\.\\p{L}{2,}(?![\\p{L}\\d@-]))",
  "\\*\\*(?<strong>(?=\\S)[^\\n]*?[^\\s*])\\*\\*",
  "(?<![\\w*])\\*(?<em>(?=[^\\s*])[^\\n*]*?[^\\s*])\\*(?![\\w*])",
  "~~(?<s>(?=\\S)[^\\n]*?\\S)~~",
].join("|");
const PLAIN = new RegExp(INLINE, "giu");
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[#*\d]\uFE0F?\u20E3)/u;

/** One to three emoji and nothing else. */
export function isEmojiOnly(text) {
  const bare = text.trim();
  if (bare === "" || bare.length > 60) return false;
  const parts = graphemes(bare.replace(/\s+/g, ""));
  return parts.length <= 3 && parts.every((part) => EMOJI.test(part));
}

/** The text as nodes: paragraphs, quotes, fenced code; marks, links and names within. What is long folds.
 *  `mentions` are the names that stand after an @, each with its person, of whom one may be `me`. */
export function format(text, say, mentions = {}, me) {
  const parts = blocks(text);
  const names = { pattern: pattern(Object.values(mentions).filter(Boolean)), mine: `@${mentions[me]}` };
  const made = parts.map(([kind, lines]) => BLOCKS[kind](lines, names, say));
  const fragment = document.createDocumentFragment();
  if (tall(parts) <= LONG.text) return fragment.append(...made), fragment;
  const fold = element("div", ...made);
  fold.className = "fold";
  fragment.append(fold, foldButton(say("text.more"), say));
  return fragment;
}

/** What is looked for within a line; of names the longest counts. */
function pattern(names) {
  if (names.length === 0) return PLAIN;
  const escaped = names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"));
  const either = escaped.sort((one, other) => other.length - one.length).join("|");
  return new RegExp(`(?<![\\p{L}\\d])(?<name>@(?:${either}))(?![\\p{L}\\d])|${INLINE}`, "giu");
}

/** About how many lines the parts take, long code folded. */
function tall(parts) {
  const lines = ([kind, body]) => {
    if (kind === "code") return body.length > LONG.code ? SHOWN : body.length;
    return body.reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / WIDTH)), 0);
  };
  return parts.reduce((sum, part) => sum + lines(part), 0);
}

function foldButton(words, say) {
  const button = element("button", words);
  Object.assign(button, { className: "unfold", type: "button", ariaExpanded: "false" });
  Object.assign(button.dataset, { more: words, less: say("text.less") });
  return button;
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
  return found
    .filter(([kind, body]) => kind !== "text" || body.some((line) => line.trim()))
    .map(([kind, body]) => [kind, kind === "code" ? body : close(kind, body)]);
}

/** The lines without the signs of a quote, without empty ones around them, few within. */
function close(kind, lines) {
  const bare = kind === "quote" ? lines.map((line) => line.replace(/^> ?/, "")) : lines;
  return bare.join("\n").replace(EMPTY, "\n\n\n").replace(/^\n+|\n+$/g, "").split("\n");
}

const BLOCKS = {
  text: (lines, names) => element("p", inline(lines.join("\n"), names)),
  quote: (lines, names) => element("blockquote", inline(lines.join("\n"), names)),
  code: (lines, _, say) => {
    const pre = element("pre", element("code", lines.join("\n")));
    pre.tabIndex = 0; // it scrolls sideways: the keyboard must reach it
    pre.dir = "ltr";
    const copy = element("button", say("text.copy"));
    Object.assign(copy, { className: "copy", type: "button" });
    const box = element("div", pre, copy);
    box.className = "code";
    if (lines.length <= LONG.code) return box;
    box.classList.add("fold");
    box.append(foldButton(say("text.all", { n: lines.length }), say));
    return box;
  },
};

function inline(text, names, depth = 0) {
  const fragment = document.createDocumentFragment();
  let done = 0;
  for (const { 0: whole, index, groups } of text.matchAll(names.pattern)) {
    const node = mark(whole, groups, names, depth);
    if (!node) continue;
    fragment.append(text.slice(done, index), node);
    done = index + (groups.link ? node.textContent : whole).length;
  }
  fragment.append(text.slice(done));
  return fragment;
}

function mark(whole, { name, code, link, mail, strong, em, s }, names, depth) {
  if (name) return called(name, names.mine);
  if (link) return anchor(link);
  if (mail) return linkTo(`mailto:${mail}`, mail);
  if (code) return element("code", code);
  if (depth === DEEPEST) return null;
  if (strong) return element("strong", inline(strong, names, depth + 1));
  if (em) return element("em", inline(em, names, depth + 1));
  return element("s", inline(s, names, depth + 1));
}

function called(name, mine) {
  const me = name.toLowerCase() === mine.toLowerCase();
  return Object.assign(element(me ? "mark" : "b", name), { className: me ? "me" : "at" });
}

/** A link, without the sentence around it. Null if it leads nowhere. */
function anchor(text) {
  const url = text.slice(0, endOfUrl(text)).replace(/[.,;:!?'*~_]+$/u, "");
  if (!url.startsWith("www.")) return linkTo(url, url);
  return /^www\.[^./?#]+\.[^./?#]/u.test(url) ? linkTo(["https:", url].join("//"), url) : null;
}

function linkTo(href, shown) {
  if (!URL.canParse(href) || !SAFE.has(new URL(href).protocol)) return null;
  const a = element("a", shown);
  Object.assign(a, { href, target: "_blank", rel: "noopener noreferrer nofollow" });
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
