// Owns the dialog with the link for somebody who has lost every device: as a picture to scan, as a link
// and as a code to type. Fetched with the first one.

import { offer, roomLink, scan } from "./invite.js";
import { element } from "./dom.js";
import { part } from "./frame.js";
import { question } from "./question.js";
import { hint } from "./rows.js";
import { untilWhen } from "./until.js";

/** Asks first, and shows the link in the same dialog. `order` makes it. */
export function openWayBack({ user, name }, opener, { base, network, say, language, order }) {
  const where = roomLink(new URL(`${base}enter`, location.href), network);
  const act = async () => {
    const { token, code, until } = await order("readmit", { user });
    show(`${where.href}#${token}`, code, untilWhen(until, say, language));
    return false; // it stays open
  };
  const values = { name };
  const title = say("wayback.title", values);
  const { dialog } = question({ title, about: say("wayback.about", values), go: say("wayback.go"), act, say, opener });
  function show(link, code, when) {
    const field = part("input", "field link", { readOnly: true, dir: "ltr", value: link, ariaLabel: say("wayback.link") });
    const button = part("button", "btn go", { type: "button" }, say("invite.copy"));
    const picture = part("img", "qr", { alt: say("invite.qr"), width: 168, height: 168 });
    scan(picture, link, base);
    const typed = part("div", "fields", {}, part("span", "sub", {}, say("device.code")), part("span", "pin", {}, code), part("span", "sub", {}, say("wayback.once", { when })));
    const section = Object.assign(dialog.querySelector(".part"), { className: "part handover" });
    section.replaceChildren(
      part("p", "sub", { dir: "auto" }, say("wayback.give", values)),
      part("div", "pair", {}, field, button),
      ...(where.narrow ? [part("p", "sub", {}, say("invite.narrow"))] : []),
      part("div", "scan", {}, picture, typed),
      hint("alert", say("wayback.warning", values)),
      Object.assign(element("p"), { className: "vh", role: "status" }),
    );
    button.addEventListener("click", () => offer(section, button, link, say));
    button.focus();
  }
}
