// The rows that settings are made of. Each is {node, show}: `show()` makes its control what is set, and
// what a person does to the control sets it at once. Comes with the first dialog that has some.

import { element } from "./dom.js";
import { icon } from "./icon.js";

let made = 0; // rows, for ids

/** One thing or the other: `values` are [what on means, what off means]. */
export function switchRow(words, [on, off], { get, set }) {
  const input = Object.assign(element("input"), { type: "checkbox", className: "switch", role: "switch" });
  input.addEventListener("change", () => set(input.checked ? on : off));
  const node = labelled(element("label"), words, input);
  node.append(input);
  return { node, show: () => (input.checked = get() === on) };
}

/** One of a few, all in sight: `options` is [[value, words]…]. */
export function choiceRow(words, options, { get, set }) {
  const group = radios("seg", options, set);
  const node = labelled(element("div"), words, group);
  node.classList.add("stack");
  node.append(group);
  return { node, show: () => check(group, get()) };
}

/** One of a few, each a row that explains itself: `options` is [[value, words, hint]…]. */
export function choices(words, options, { get, set }) {
  const group = radios("choices", options, set);
  group.ariaLabel = words;
  return { node: group, show: () => check(group, get()) };
}

/** One of a few in a list that opens. */
export function pickRow(words, options, { get, set }) {
  const select = element("select", ...options.map(([value, text]) => new Option(text, value)));
  select.className = "pick";
  select.addEventListener("change", () => set(select.value));
  const node = labelled(element("label"), words, select);
  node.append(select);
  return { node, show: () => (select.value = get()) };
}

/** A sentence about something that is not as it should be. */
export function hint(sign, text) {
  const node = element("p", icon(sign), element("span", text));
  node.className = "hintbox";
  return node;
}

/** What a row is called, and a hint below it that is no part of the name. */
function labelled(node, [label, hint], control) {
  made += 1;
  const name = Object.assign(element("span", label), { id: `set-${made}` });
  const side = element("span", name);
  if (hint) {
    const below = Object.assign(element("span", hint), { id: `set-${made}-hint`, className: "sub" });
    side.append(below);
    control.setAttribute("aria-describedby", below.id);
  }
  control.setAttribute("aria-labelledby", name.id);
  node.className = "set";
  node.append(side);
  return node;
}

function radios(kind, options, set) {
  made += 1;
  const name = `set-${made}`;
  const group = element("div", ...options.map((option) => radio(name, option, set)));
  return Object.assign(group, { className: kind, role: "radiogroup" });
}

function radio(name, [value, words, hint], set) {
  const input = Object.assign(element("input"), { type: "radio", name, value });
  input.addEventListener("change", () => set(value));
  const label = element("label", input, hint ? element("span", element("b", words)) : words);
  if (!hint) return label;
  label.className = "choice";
  labelChoice(label, input, hint);
  return label;
}

function labelChoice(label, input, hint) {
  made += 1;
  const name = label.querySelector("b");
  const below = Object.assign(element("span", hint), { id: `set-${made}-hint`, className: "sub" });
  name.id = `set-${made}`;
  name.after(below);
  input.setAttribute("aria-labelledby", name.id);
  input.setAttribute("aria-describedby", below.id);
}

function check(group, value) {
  for (const input of group.querySelectorAll("input")) input.checked = input.value === value;
}
