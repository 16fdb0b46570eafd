// What is in the dialog of the person: changing one's name, signing out. And copying.

import { initials } from "./words.js";

const find = (selector) => document.querySelector(selector);

/** Copies a text; where the clipboard is refused (plain http) it is selected instead. */
export async function copy(text, select) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select();
    return document.execCommand("copy");
  }
}

/** The same for a text that stands nowhere; where it must be selected, that happens in `place`. */
export async function copyFrom(place, value) {
  const area = Object.assign(document.createElement("textarea"), { value, className: "vh" });
  place.append(area);
  const done = await copy(value, () => area.select());
  area.remove();
  return done;
}

export function wireRename(form, you, say) {
  const field = form.querySelector("#name");
  const error = form.querySelector(".err");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(form.action, { method: "POST", body, headers });
      const result = await answer.json();
      error.textContent = answer.ok ? "" : result.detail;
      field.setAttribute("aria-invalid", !answer.ok);
      if (!answer.ok) field.value = result.suggestion ?? field.value;
      else showName(Object.assign(you, { name: result.name, color: result.color }));
    } catch {
      error.textContent = say("me.failed");
    }
  });
}

/** Signing out on the only device cannot be undone, so the first press only asks (devices.js counts). */
export function wireSignOut(form) {
  const ask = form.querySelector(".ask");
  const sure = form.querySelector(".sure");
  const turn = (asked) => {
    ask.hidden = asked;
    sure.hidden = !asked;
    (asked ? sure.querySelector(".stay") : ask).focus();
  };
  ask.addEventListener("click", () => (form.dataset.devices > 1 ? form.requestSubmit() : turn(true)));
  sure.querySelector(".stay").addEventListener("click", () => turn(false));
  form.closest("dialog").addEventListener("close", () => {
    ask.hidden = false;
    sure.hidden = true;
  });
}

function showName({ name }) {
  find(".me .pn").textContent = name;
  find(".me .av").textContent = initials(name);
  find("dialog#me").close();
}
