// The rows of the dialog of a room that anybody has: what the room is about, and what the person is told
// of it. Comes with that dialog.

import { element } from "./dom.js";
import { oneLine } from "./header.js";
import { levelOf, morning } from "./levels.js";
import { pickRow } from "./rows.js";
import { untilOf } from "./times.js";

const LEVELS = ["all", "mentions", "none"];
const HOUR = 3_600_000; // ms

export function sub(text) {
  return Object.assign(element("p", text), { className: "sub" });
}

/** A row that only says how it is: `words()` is a line, and what explains it. */
export function toldRow(words) {
  const node = element("div");
  const show = () => {
    const [line, hint] = words();
    node.replaceChildren(element("p", line), ...(hint ? [sub(hint)] : []));
  };
  return { node, show };
}

/** What a list that opens has in it; one that is open is left alone. */
export function fill(select, options, value) {
  const made = options.map(([value, words]) => new Option(words, value));
  const same = made.length === select.length && made.every((one, n) => one.isEqualNode(select[n]));
  if (!same) select.replaceChildren(...made);
  select.value = value;
}

/** The topic: a change waits like a message, if it must. */
export function topicRow({ header, limit, say, title }) {
  const input = element("input");
  Object.assign(input, { className: "field", dir: "auto", autocomplete: "off", enterKeyHint: "done" });
  Object.assign(input, { ariaLabel: say("topic.label", { room: title }), placeholder: say("topic.about") });
  const count = Object.assign(sub(""), { id: "topic-count" });
  input.setAttribute("aria-describedby", count.id);
  const measure = () => {
    const n = [...oneLine(input.value)].length;
    input.ariaInvalid = n > limit ? "true" : null;
    count.textContent = n > limit ? say("composer.over", { n: limit - n }) : say("topic.count", { n, limit });
    count.classList.toggle("over", n > limit);
  };
  const put = () => ((input.value = header.typed ?? header.topic), measure());
  input.addEventListener("input", measure);
  const save = () => input.ariaInvalid || header.arrange(oneLine(input.value));
  input.addEventListener("change", save);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) save(); // also once more what failed
    if (event.key !== "Escape" || event.isComposing || oneLine(input.value) === header.topic) return;
    event.preventDefault(); // what was typed is given up, and the dialog stays
    header.typed = undefined;
    put();
  });
  return { node: element("div", input, count), show: () => document.activeElement === input || put() };
}

export function levelRow({ kept, room, say }) {
  const options = LEVELS.map((level) => [level, say(`bell.${level}`)]);
  const setting = { get: () => levelOf(kept, room), set: (level) => kept.set(`level:${room}`, level) };
  return pickRow([say("bell.level")], options, setting);
}

export function muteRow({ kept, notify, room, say }) {
  const until = { hour: () => Date.now() + HOUR, morning: () => morning(Date.now()), ever: () => "ever" };
  const set = (how) => how === "now" || kept.set(`mute:${room}`, String(until[how]?.() ?? ""));
  const { node } = pickRow([say("bell.mute"), say("bell.mute.hint")], [], { set });
  const show = () => {
    const muted = notify.muted(room);
    const now = muted && muted < Infinity ? [["now", say("bell.muted_until", { time: untilOf(muted) })]] : [];
    const lengths = Object.keys(until).map((how) => [how, say(`bell.mute.${how}`)]);
    fill(node.querySelector("select"), [["", say("settled.unmuted")], ...now, ...lengths], now[0] ? "now" : muted ? "ever" : "");
  };
  return { node, show };
}
