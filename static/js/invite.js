// Owns the link to this room, wherever it is shown: as it is to be read, copied, shared and scanned.
// What the page's own address says is right behind every proxy; a server can only guess it. Links that
// let somebody in by themselves are made by `inviting`.

import { copy } from "./dialogs.js";

const COPIED = 2_000; // ms
const HERE = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/; // nobody else gets anywhere by these

/** Where others find this page: {href, narrow}; `narrow` if only those in the same network do. */
export function roomLink(address, network) {
  const url = new URL(address);
  url.search = url.hash = "";
  if (!network || !HERE.test(url.hostname)) return { href: url.href, narrow: false };
  const other = new URL(network);
  other.pathname = url.pathname;
  return { href: other.href, narrow: true };
}

/** An address as people write it: `räume`, not `r%C3%A4ume`. */
export function readable(href) {
  try {
    return decodeURI(href);
  } catch {
    return href;
  }
}

/** Fills in and wires every place that offers the link. */
export function wireInvites({ say, base, network }) {
  const { href, narrow } = roomLink(location.href, network);
  for (const place of document.querySelectorAll(".invitation")) {
    const field = place.querySelector(".link");
    field.value = readable(href);
    place.querySelector(".narrow").hidden = !narrow;
    place.querySelector(".qr").src = `${base}qr?${new URLSearchParams({ link: href })}`;
    place.querySelector(".copy-link").addEventListener("click", ({ target }) => offer(place, target, href, say));
    const share = place.querySelector(".share");
    share.hidden = !navigator.share;
    share.addEventListener("click", () => navigator.share({ url: href }).catch(() => {}));
  }
}

/** Draws a link that lets somebody in. It goes in a body: addresses end up in the logs of proxies. */
export async function scan(picture, link, base) {
  const body = new URLSearchParams({ link });
  const answer = await fetch(`${base}qr`, { method: "POST", body }).catch(() => null);
  picture.hidden = !answer?.ok;
  if (answer?.ok) picture.src = URL.createObjectURL(await answer.blob());
}

/** Copies a link from its field, and says so on the button. */
export async function offer(place, button, href, say) {
  const status = place.querySelector("[role=status]");
  const field = place.querySelector(".link");
  const done = await copy(href, () => {
    field.value = href; // what is selected by hand is what has to work
    field.select();
  });
  const words = say(done ? "invite.copied" : "invite.select");
  status.textContent = words;
  button.textContent = words;
  setTimeout(() => {
    status.textContent = "";
    button.textContent = say("invite.copy");
  }, COPIED);
}
