// The dialogs: inviting somebody, changing one's name.

import { initials } from "./words.js";

const COPIED = 2_000; // ms

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

export function wireDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  }
}

export function wireInvite(dialog, say) {
  const link = dialog.querySelector(".link");
  const status = dialog.querySelector(".status");
  dialog.querySelector(".copy-link").addEventListener("click", async () => {
    const done = await copy(link.value, () => link.select());
    status.textContent = say(done ? "invite.copied" : "invite.select");
    setTimeout(() => (status.textContent = ""), COPIED);
  });
  const share = dialog.querySelector(".share");
  share.hidden = !navigator.share;
  share.addEventListener("click", () => navigator.share({ url: link.value }).catch(() => {}));
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

function showName({ name }) {
  find(".me .pn").textContent = name;
  find(".me .av").textContent = initials(name);
  find("dialog#me").close();
}
