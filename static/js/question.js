// A dialog that asks before something is done, and says why it was not. Made anew each time.

import { openDialog } from "./drawers.js";
import { part, signButton } from "./frame.js";

let asked = 0; // for ids

/** Asks with `title`, what it means in words, and `rows` of choices; `go` is the button that does it and
 *  `act()` what it does: the dialog shuts when that is done, unless it gives false, and says the sentence
 *  of what it throws. */
export function question({ title, about, rows = [], go, bad = false, act, say, opener }) {
  asked += 1;
  const heading = part("h2", "", { id: `ask-${asked}`, dir: "auto" }, title);
  const bar = part("div", "bar", {}, heading, signButton("close", "close", say("dialog.close")));
  const button = part("button", bad ? "btn s bad" : "btn s go", {}, go);
  const cancel = part("button", "btn s", { type: "button" }, say("message.cancel"));
  const error = part("p", "err", { role: "alert" });
  const form = part("form", "", {}, ...rows, error, part("div", "pair", {}, button, cancel));
  const dialog = part("dialog", "asking", {}, bar, part("section", "part", {}, part("p", "sub", { dir: "auto" }, about), form));
  dialog.setAttribute("aria-labelledby", heading.id);
  for (const one of [bar.lastChild, cancel]) one.addEventListener("click", () => dialog.close());
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  dialog.addEventListener("close", () => dialog.remove());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (button.ariaDisabled) return;
    button.ariaDisabled = "true";
    error.textContent = "";
    await act().then((done) => done !== false && dialog.close(), ({ detail }) => (error.textContent = detail));
    button.ariaDisabled = null;
  });
  document.body.append(dialog);
  openDialog(dialog, opener);
  return { dialog, button };
}
