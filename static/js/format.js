// How things read: a message's text as DOM nodes (never as HTML), times, days, counts, initials,
// and one message as a row, alone and after another. Keeps no state; knows no list, no socket and
// no storage.

const SAFE = new Set(["http:", "https:", "mailto:"]);
const DEEPEST = 4; // marks inside marks
const FOLD = 20; // lines of code shown without folding
const DAY = 86_400_000; // ms
const TOGETHER = 5 * 60_000; // ms between messages of one group

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

/** `say(key, values)`: a sentence of the catalogue; with `n` in the values its plural form. */
export function speaker(catalogue, language) {
  const plural = new Intl.PluralRules(language);
  return (key, values = {}) => {
    const form = catalogue[key] ?? catalogue[`${key}.${plural.select(values.n)}`];
    return (form ?? catalogue[`${key}.other`]).replace(/\{(\w+)\}/g, (_, name) => values[name]);
  };
}

export const graphemes = (text) =>
  Array.from(new Intl.Segmenter().segment(text), ({ segment }) => segment);

/** One to three emoji and nothing else. */
export function isEmojiOnly(text) {
  const bare = text.trim();
  if (bare === "" || bare.length > 60) return false;
  const parts = graphemes(bare.replace(/\s+/g, ""));
  return parts.length <= 3 && parts.every((part) => EMOJI.test(part));
}

export function initials(name) {
  const words = name.trim().split(/\s+/u);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return ends.map((word) => graphemes(word)[0] ?? "").join("").toUpperCase();
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

export function element(name, ...children) {
  const made = document.createElement(name);
  made.append(...children);
  return made;
}

const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });
const FULL = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "short" });

export const clock = (at) => CLOCK.format(at);

/** The same without "AM" or "PM": the gutter is narrow, and the group's first row says it. */
const shortClock = (at) =>
  CLOCK.formatToParts(at)
    .map(({ type: part, value }) => (part === "dayPeriod" ? "" : value))
    .join("")
    .trim();

export const fullTime = (at) => FULL.format(at);

/** The local calendar day of a time, as a number that grows by one each day. */
function dayOf(at) {
  const date = new Date(at);
  return Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) / DAY;
}

/** "Today", "Yesterday", a weekday within a week, or the date. */
function dayName(day, today, language) {
  const ago = today - day;
  const noon = new Date((day + 0.5) * DAY); // read as UTC below: no zone moves it to another day
  if (ago === 0 || ago === 1) {
    const name = new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-ago, "day");
    return name.charAt(0).toLocaleUpperCase(language) + name.slice(1);
  }
  const style = ago > 1 && ago < 7 ? { weekday: "long" } : { dateStyle: "long" };
  return new Intl.DateTimeFormat(language, { ...style, timeZone: "UTC" }).format(noon);
}

// --- a message as a row

export const clone = (name) => document.getElementById(name).content.firstElementChild.cloneNode(true);

/** The message in a row the server rendered; its text is there as it was typed. */
export function readRow(row, you) {
  const { id, rev, user, cid } = row.dataset;
  const edited = Number(row.querySelector(".edited").dataset.at);
  return {
    id: Number(id),
    rev: Number(rev),
    user,
    cid,
    name: user === you.user ? you.name : row.querySelector(".who").textContent,
    color: Number(/\ba(\d+)\b/.exec(row.className)[1]),
    at: Date.parse(row.querySelector("time").dateTime),
    text: row.querySelector(".body").textContent,
    edited: edited || undefined,
    damaged: row.matches(".damaged"),
  };
}

/** Writes a message, sent or waiting, into its row. */
export function fillRow(row, message, mine, say) {
  const { id, cid, damaged = false, text } = message;
  const key = id ? `m${id}` : `p${cid}`;
  row.className = row.className.replace(/\b(a\d+|deleted)\b/g, "").trim();
  row.classList.add(`a${message.color}`);
  row.classList.toggle("mine", mine);
  row.classList.toggle("damaged", damaged);
  row.id = key;
  row.setAttribute("aria-labelledby", `${key}w ${key}t ${key}b`);
  if (id) {
    Object.assign(row.dataset, { id, user: message.user, state: "sent" });
    delete row.dataset.cid;
    row.querySelector(":scope > .st")?.remove();
  } else {
    row.dataset.cid = cid;
  }
  fillHead(row, message, key, mine ? say("you") : message.name);
  const body = row.querySelector(".body");
  body.id = `${key}b`;
  body.classList.toggle("big", !damaged && isEmojiOnly(text));
  body.replaceChildren(damaged ? say("message.damaged") : format(text, say));
  if (mine && id && !damaged && !row.querySelector(".acts")) row.append(clone("actions"));
}

function fillHead(row, { at, name, edited, id }, key, shown) {
  const who = row.querySelector(".who");
  who.id = `${key}w`;
  who.textContent = shown;
  row.querySelector(".av").textContent = initials(name);
  const link = row.querySelector(".time");
  link.id = `${key}t`;
  if (id) link.href = `#${key}`;
  const time = link.querySelector("time");
  time.dateTime = new Date(at).toISOString();
  time.title = fullTime(at);
  time.textContent = clock(at);
  row.querySelector(".gt").textContent = shortClock(at);
  const mark = row.querySelector(".edited");
  mark.hidden = !edited;
  if (edited) mark.title = fullTime(edited);
}

/** The line under a message that is not yet sent; null if there is nothing to say. */
export function statusLine(state, { failed, retryAt, detail }, say) {
  if (state === "failed") {
    const line = clone("failed");
    line.querySelector(".why").textContent = failed;
    return line;
  }
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  const text = seconds > 0 ? say("message.slow", { detail, n: seconds }) : say("message.sending");
  if (state === "queued") return null;
  const line = element("p", text);
  line.className = seconds > 0 ? "st" : "st sending";
  return line;
}

// --- a row among its neighbours

/** Shows a row as the first of its group, or as one that continues it; above it a day that begins. */
export function groupRow(row, message, before, { you, language }) {
  const day = dayOf(message.at);
  markDay(row, before && dayOf(before.at) === day ? null : day, language);
  const first =
    !before ||
    row.previousElementSibling?.matches(".day, .unread, .gap") ||
    before.user !== message.user ||
    (before.name !== message.name && message.user !== you.user) ||
    message.at - before.at > TOGETHER;
  row.classList.toggle("first", first);
  row.querySelector(".av").hidden = !first;
  row.querySelector(".gt").hidden = first;
  row.querySelector(".head").classList.toggle("vh", !first);
}

/** Puts the line of a day above a row; null takes it away. */
export function markDay(row, day, language) {
  const below = row.previousElementSibling?.matches(".unread") ? row.previousElementSibling : row;
  const old = below.previousElementSibling?.matches(".day") ? below.previousElementSibling : null;
  if (old && Number(old.dataset.day) === day) return;
  old?.remove();
  if (day === null) return;
  const made = element("div", element("span"));
  made.className = "day";
  made.role = "separator";
  made.dataset.day = day;
  nameDay(made, language);
  below.before(made);
}

export function nameDay(row, language) {
  const name = dayName(Number(row.dataset.day), dayOf(Date.now()), language);
  row.firstElementChild.textContent = name;
  row.setAttribute("aria-label", name);
}
