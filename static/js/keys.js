// Owns the keys that work wherever one is, and the two dialogs they open. Single letters mean
// nothing here: they are what somebody types.

import { openDialog } from "./drawers.js";
import { lazily } from "./lazily.js";

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
}

const KEYS = {
  F6: ({ shiftKey }) => cycle(shiftKey ? -1 : 1),
  "Ctrl+/": () => openOnce(find("dialog#keys")),
  "Ctrl+k": () => (openSwitcher(), true),
  "Alt+ArrowUp": ({ shiftKey }) => step(-1, shiftKey),
  "Alt+ArrowDown": ({ shiftKey }) => step(1, shiftKey),
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

/** To the room before or after this one; `unread`: to one in which there is something new. */
function step(by, unread) {
  const all = rooms();
  const at = all.findIndex((link) => link.ariaCurrent);
  const round = [...all.slice(at + 1), ...all.slice(0, at)].filter((link) => !unread || "unread" in link.dataset);
  round.at(by < 0 ? -1 : 0)?.click();
  return true;
}

/** What is typed while nothing has the focus is meant for the box. */
function typeInto() {
  const box = find(".composer textarea");
  if (shown(box) && !find("dialog[open]")) box.focus();
}

const switcher = lazily("switcher", ({ Switcher }) => new Switcher(find("dialog#switch"), rooms));

/** The rooms, to be found by a few letters; `title`: what for, if it is not to go there. */
export async function openSwitcher(title) {
  const made = await switcher();
  if (!made || find("dialog[open]")) return;
  const heading = made.dialog.querySelector("h2");
  const usual = heading.textContent;
  if (title) heading.textContent = title;
  made.dialog.addEventListener("close", () => (heading.textContent = usual), { once: true });
  openDialog(made.dialog);
  made.show();
}
