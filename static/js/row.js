// One message as a row, alone and after another, and the one of them that Tab comes to. Knows no
// list and no socket.

import { clone, element } from "./dom.js";
import { format, isEmojiOnly } from "./text.js";
import { clock, dayName, dayOf, initials, shortClock } from "./words.js";

const TOGETHER = 5 * 60_000; // ms between messages of one group

/** The message in a row the server rendered; its text is there as it was typed. */
export function readRow(row, you) {
  const { id, rev, user, cid, said, reply, mentions, files } = row.dataset;
  const edited = Number(row.querySelector(".edited").dataset.at);
  return {
    id: Number(id),
    rev: Number(rev),
    user,
    cid,
    said,
    name: user === you.user ? you.name : row.querySelector(".who").textContent,
    color: Number(/\ba(\d+)\b/.exec(row.className)[1]),
    at: Date.parse(row.querySelector("time").dateTime),
    text: row.querySelector(".body").textContent,
    edited: edited || undefined,
    damaged: row.matches(".damaged"),
    reply: Number(reply) || undefined,
    mentions: mentions && JSON.parse(mentions),
    files: files && JSON.parse(files),
  };
}

/** Writes a message, sent or waiting, into its row, as `me` is to see it. */
export function fillRow(row, message, me, say) {
  const { id, cid, damaged = false, text, mentions = {} } = message;
  const mine = message.user === me;
  const key = id ? `m${id}` : `p${cid}`;
  row.className = row.className.replace(/\b(a\d+|deleted)\b/g, "").trim();
  row.classList.add(`a${message.color}`);
  row.classList.toggle("mine", mine);
  row.classList.toggle("damaged", damaged);
  row.classList.toggle("mention", Object.hasOwn(mentions, me));
  row.id = key;
  row.setAttribute("aria-labelledby", `${key}w ${key}k ${key}t ${key}q ${key}b ${key}f ${key}s`);
  if (id) {
    Object.assign(row.dataset, { id, user: message.user, state: "sent" });
    delete row.dataset.cid;
    delete row.dataset.said;
    row.querySelector(":scope > .st")?.remove();
  } else {
    row.dataset.cid = cid;
  }
  fillHead(row, message, key, mine ? say("you") : message.name);
  const body = row.querySelector(".body");
  body.id = `${key}b`;
  const big = !damaged && isEmojiOnly(text);
  body.classList.toggle("big", big);
  body.parentElement.dir = big ? document.dir : "auto"; // emoji have no direction of their own
  body.replaceChildren(damaged ? say("message.damaged") : format(text, say, mentions, me));
  allowStops(row);
}

/** What can be focused within a row is a tab stop only while the row is the one in hand; code that
 *  scrolls always. */
function allowStops(row) {
  for (const stop of row.querySelectorAll(":is(.said, .chips) :is(a, pre, button, [controls])")) {
    stop.tabIndex = stop.matches(".wide") ? 0 : row.tabIndex;
  }
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
  time.textContent = clock(at);
  const gutter = row.querySelector(".gt");
  gutter.textContent = shortClock(at);
  if (id) gutter.href = `#${key}`;
  row.querySelector(".edited").hidden = !edited;
}

/** What has the focus may go with a change; then its row has it. */
export function keepFocus(row, change) {
  const held = row.contains(document.activeElement);
  change();
  if (held && !row.contains(document.activeElement)) row.focus({ preventScroll: true });
}

// --- a row among its neighbours

/** Shows a row as the first of its group, or as one that continues it; above it a day that begins. */
export function groupRow(row, message, before, { you, language }) {
  const day = dayOf(message.at);
  markDay(row, before && dayOf(before.at) === day ? null : day, language);
  const first =
    !before ||
    message.reply ||
    row.previousElementSibling?.matches(".day, .unread") ||
    before.user !== message.user ||
    (before.name !== message.name && message.user !== you.user) ||
    message.at - before.at > TOGETHER;
  row.classList.toggle("first", Boolean(first));
  row.querySelector(".av").hidden = !first;
  row.querySelector(".gt").hidden = first;
  row.querySelector(".head").classList.toggle("vh", !first);
}

/** Takes a row away, with the lines above it that nothing is below any more. */
export function removeRow(row) {
  markDay(row, null);
  const divider = row.previousElementSibling;
  if (divider?.matches(".unread") && !row.nextElementSibling?.matches(".msg")) divider.remove();
  const chunk = row.parentElement;
  row.remove();
  if (!chunk.firstElementChild) chunk.remove();
}

/** Puts the line of a day above a row; null takes it away. */
function markDay(row, day, language) {
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

/** The one row that is a tab stop. */
export class Stop {
  row = null;

  constructor(log) {
    log.addEventListener("focusin", ({ target }) => {
      // Not for a link within: the stop would jump behind a person who goes through with Tab.
      if (target.matches(".msg") && target !== this.row) this.set(target);
    });
  }

  set(row) {
    const before = this.row;
    this.row = row;
    for (const [changed, index] of [[before, -1], [row, 0]]) {
      if (!changed) continue;
      changed.tabIndex = index;
      allowStops(changed);
    }
  }
}
