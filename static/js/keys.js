// Owns the keys that work wherever one is, and the two dialogs they open. Single letters mean
// nothing here: they are what somebody types.

import { openDialog } from "./drawers.js";

const find = (selector) => document.querySelector(selector);
const shown = (element) => element?.checkVisibility({ visibilityProperty: true }) && !element.closest("[inert]");
const rooms = () => [...document.querySelectorAll(".side .rooms a")];

export function wireKeys() {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.defaultPrevented) return;
    const key = `${event.ctrlKey || event.metaKey ? "Ctrl+" : ""}${event.altKey ? "Alt+" : ""}${event.key}`;
    if (KEYS[key]?.(event) === true) event.preventDefault();
    else if (key.length === 1 && key !== " " && document.activeElement === document.body) typeInto();
  });
  wireSwitch(find("dialog#switch"));
}

const KEYS = {
  F6: ({ shiftKey }) => cycle(shiftKey ? -1 : 1),
  "Ctrl+/": () => openOnce(find("dialog#keys")),
  "Ctrl+k": () => openOnce(find("dialog#switch")),
  "Alt+ArrowUp": () => step(-1),
  "Alt+ArrowDown": () => step(1),
};

function openOnce(dialog) {
  if (!find("dialog[open]")) openDialog(dialog);
  return true;
}

/** Rooms, messages, box, and round again. */
function cycle(step) {
  if (find("dialog[open], [popover][role=dialog]")) return false;
  const parts = [
    [".side", [find(".side .rooms [aria-current]"), find(".menu")].find(shown)],
    [".log", find(".log .msg[tabindex='0']")],
    [".composer", find(".composer textarea")],
  ].filter(([, stop]) => shown(stop));
  const at = parts.findIndex(([part]) => document.activeElement.closest(part));
  const from = at < 0 && step < 0 ? 0 : at;
  parts[(from + step + parts.length) % parts.length][1].focus();
  return true;
}

function step(by) {
  const links = rooms();
  const at = links.findIndex((link) => link.ariaCurrent);
  const next = links[(at + by + links.length) % links.length];
  if (next && next !== links[at]) next.click();
  return true;
}

/** What is typed while nothing has the focus is meant for the box. */
function typeInto() {
  const box = find(".composer textarea");
  if (shown(box) && !find("dialog[open]")) box.focus();
}

/** The rooms this browser knows, to be found by a few letters. */
function wireSwitch(dialog) {
  const field = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  const fill = () => {
    const sought = field.value.trim().toLowerCase();
    const found = rooms().filter((link) => link.textContent.toLowerCase().includes(sought));
    list.replaceChildren(...found.map((link) => link.parentElement.cloneNode(true)));
  };
  field.addEventListener("input", fill);
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown") list.querySelector("a")?.focus();
    else if (event.key === "Enter") list.querySelector("a")?.click();
    else return;
    event.preventDefault();
  });
  list.addEventListener("keydown", (event) => {
    const item = event.target.closest("li");
    const to = { ArrowDown: item.nextElementSibling, ArrowUp: item.previousElementSibling }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    (to?.querySelector("a") ?? field).focus();
  });
  field.addEventListener("focus", fill);
  dialog.addEventListener("close", () => (field.value = ""));
}
