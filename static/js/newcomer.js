// Owns the line under the header that tells of a new device of this person: if it is somebody else's,
// one press ends it. Fetched when there is one.

import { ask } from "./ask.js";
import { clone } from "./dom.js";
import { signButton } from "./frame.js";

/** `hold(change)` keeps the list where it is while the page changes above it. */
export function makeTeller({ base, say, hold, alert }) {
  const place = document.querySelector(".conn").parentElement;
  return ({ id, label }) => {
    const strip = clone("strip");
    const [text, out] = strip.querySelectorAll("span, button");
    const close = signButton("close", "close", say("dialog.close"));
    const leave = () => hold(() => strip.remove());
    text.textContent = say("device.came", { device: label });
    out.textContent = say("device.out");
    out.addEventListener("click", async () => {
      out.disabled = true;
      const gone = ask(`${base}devices/${id}`, say, new URLSearchParams());
      text.textContent = await gone.then(() => say("devices.went", { device: label }), ({ detail }) => ((out.disabled = false), detail));
      alert(text.textContent);
      out.hidden = out.disabled;
      if (out.hidden) close.focus();
    });
    close.addEventListener("click", leave);
    strip.classList.add("newcomer");
    strip.append(close);
    hold(() => place.append(strip));
    alert(text.textContent);
  };
}
