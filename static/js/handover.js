// Owns the dialog "Use on another device": a link that works once and for ten minutes, as a picture to
// scan and as a code to type. What it gives away is said beside it.

import { ask } from "./ask.js";
import { copyFrom } from "./dialogs.js";
import { element } from "./dom.js";
import { openDialog } from "./drawers.js";
import { part, signButton } from "./frame.js";
import { icon } from "./icon.js";
import { readable, roomLink, scan } from "./invite.js";
import { hint } from "./rows.js";
import { minutes } from "./until.js";

const LIFE = 600_000; // ms, by this clock: it may not be the server's
const TICK = 1_000; // ms

export class Handover {
  #dialog = null;
  #body;
  #ticking = 0;

  constructor({ base, network, say }) {
    Object.assign(this, { base, say, ...roomLink(new URL(`${base}enter`, location.href), network) });
  }

  /** Opens it with a new code. Throws an Error in words if there is none. */
  async open(opener) {
    const made = await this.#make();
    this.#dialog ??= this.#build();
    this.#show(made);
    openDialog(this.#dialog, opener);
  }

  /** The code may have been what brought this device in; then it is worth nothing any more. */
  used({ label }) {
    if (this.#ticking) this.#end(element("p", this.say("device.used", { device: label })));
  }

  #make() {
    return ask(`${this.base}devices`, this.say, new URLSearchParams());
  }

  async #again() {
    try {
      this.#show(await this.#make());
    } catch (error) {
      if (!error.detail) throw error;
      this.#body.prepend(part("p", "err", { role: "alert" }, error.detail));
    }
  }

  #show({ token, code }) {
    const { say } = this;
    const link = `${this.href}#${token}`;
    const picture = part("img", "qr", { alt: say("device.qr"), width: 168, height: 168 });
    scan(picture, link, this.base);
    const left = part("span", "sub left", { role: "timer" });
    const bar = Object.assign(element("progress"), { max: LIFE, ariaHidden: "true" });
    const words = part("div", "fields", {}, part("span", "sub", {}, say("device.code")), part("span", "pin", {}, code), left, bar);
    const copy = part("button", "btn s", { type: "button", autofocus: true }, icon("copy"), say("device.copy"));
    copy.addEventListener("click", () => this.#copy(copy, link));
    const buttons = part("div", "btns", {}, copy, this.#renew("quiet"));
    const parts = [this.#how(), part("div", "scan", {}, picture, words), hint("alert", say("device.warning")), buttons];
    if (this.narrow) parts.splice(1, 0, part("p", "sub", {}, say("invite.narrow")));
    this.#body.replaceChildren(...parts);
    copy.focus();
    this.#count(left, bar);
  }

  /** The address stands out in the sentence, as it is to be typed. */
  #how() {
    const address = readable(this.href).replace(/^https?:\/\//, "");
    const [before, after] = this.say("device.how", { address: "\0" }).split("\0");
    return element("p", before, Object.assign(element("b", address), { dir: "ltr" }), after);
  }

  #count(text, bar) {
    const end = Date.now() + LIFE;
    clearInterval(this.#ticking);
    const tick = () => {
      const left = end - Date.now();
      if (left <= 0) return this.#end(element("p", this.say("device.over")), this.#renew("go"));
      bar.value = left;
      text.textContent = this.say("device.left", { time: minutes(left) });
    };
    this.#ticking = setInterval(tick, TICK);
    tick();
  }

  #end(...parts) {
    clearInterval(this.#ticking);
    this.#ticking = 0;
    parts[0].role = "status";
    this.#body.replaceChildren(...parts);
    (parts[1] ?? this.#dialog.querySelector(".close")).focus();
  }

  #renew(kind) {
    const button = part("button", `btn s ${kind}`, { type: "button" }, this.say("device.again"));
    button.addEventListener("click", () => this.#again());
    return button;
  }

  async #copy(button, link) {
    const words = button.lastChild;
    words.data = this.say((await copyFrom(this.#body, link)) ? "invite.copied" : "invite.select");
    setTimeout(() => (words.data = this.say("device.copy")), 2 * TICK);
  }

  #build() {
    const title = part("h2", "", { id: "device-title" }, this.say("devices.add"));
    const bar = part("div", "bar", {}, title, signButton("close", "close", this.say("dialog.close")));
    this.#body = part("section", "part handover");
    const dialog = element("dialog", bar, this.#body);
    dialog.setAttribute("aria-labelledby", title.id);
    bar.lastChild.addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
    dialog.addEventListener("close", () => {
      clearInterval(this.#ticking);
      this.#ticking = 0;
      this.#body.replaceChildren(); // nobody is to find the link here later
    });
    document.body.append(dialog);
    return dialog;
  }
}
