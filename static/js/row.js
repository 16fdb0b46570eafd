// One message as a row, alone and after another. Keeps no state; knows no list and no socket.

import { clone, element } from "./dom.js";
import { format, isEmojiOnly } from "./text.js";
import { clock, dayName, dayOf, fullDay, fullTime, initials, shortClock } from "./words.js";

const TOGETHER = 5 * 60_000; // ms between messages of one group

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
  row.setAttribute("aria-labelledby", `${key}w ${key}t ${key}b ${key}s`);
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
  const big = !damaged && isEmojiOnly(text);
  body.classList.toggle("big", big);
  body.parentElement.dir = big ? document.dir : "auto"; // emoji have no direction of their own
  body.replaceChildren(damaged ? say("message.damaged") : format(text, say));
  allowStops(row);
}

/** What can be focused within a row is a tab stop only while the row is the one in hand. */
export function allowStops(row) {
  for (const stop of row.querySelectorAll(".body :is(a, pre, button)")) stop.tabIndex = row.tabIndex;
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
  const gutter = row.querySelector(".gt");
  gutter.textContent = shortClock(at);
  if (id) gutter.href = `#${key}`;
  const mark = row.querySelector(".edited");
  mark.hidden = !edited;
  if (edited) mark.title = fullTime(edited);
}

/** My own change to a message, on its way: the text stands in the row already. */
export function showChange(row, { command, state }) {
  row.dataset.state = state;
  if (command !== "delete") return;
  const line = clone("deleted");
  line.querySelector(".undo").remove();
  row.classList.add("deleted");
  row.append(line);
}

/** The line under a message that is not yet sent. */
export function statusLine(state, { failed, retryAt, detail }, say) {
  if (state === "failed") {
    const line = clone("failed");
    line.querySelector(".why").textContent = say("message.not_sent", { detail: failed });
    return line;
  }
  if (state === "queued") return clone("waiting");
  const seconds = Math.ceil((retryAt - Date.now()) / 1000);
  const text = seconds > 0 ? say("message.slow", { detail, n: seconds }) : say("message.sending");
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
  row.firstElementChild.dataset.full = fullDay(Number(row.dataset.day)); // for paper
  row.setAttribute("aria-label", name);
}
