// Owns "My devices" in the settings: where one is signed in, each with a way to end that, and the way
// to one more. Comes with the settings.

import { ask, attempt } from "./ask.js";
import { element } from "./dom.js";
import { part } from "./frame.js";
import { Handover } from "./handover.js";
import { icon } from "./icon.js";
import { dateOf, lastHere } from "./until.js";

const NEW = 604_800_000; // ms that a device is called new
const PHONES = /iPhone|iPad|Android|phone/i;

export class Devices {
  /** `form` signs out here: with no other device left it asks first. */
  constructor({ base, network, say, language, you, form }) {
    Object.assign(this, { base, say, language, you, form });
    this.list = part("ul", "list");
    this.told = part("p", "sub", { role: "status" });
    this.error = part("p", "err", { role: "alert" });
    this.more = part("button", "btn s", { type: "button" }, icon("plus"), say("devices.add"));
    this.node = part("div", "devices", {}, this.list, this.told, this.error, this.more);
    this.handover = new Handover({ base, network, say });
    this.more.addEventListener("click", () => attempt(this.error, () => this.handover.open(this.more)));
  }

  /** The list as it is by now. */
  show() {
    return attempt(this.error, async () => this.#draw(await ask(`${this.base}devices`, this.say)));
  }

  /** One more has just come in. */
  heard(device) {
    this.handover.used(device);
    this.show();
  }

  #draw(devices) {
    const mine = devices.find(({ here }) => here);
    const rows = devices.sort((one, other) => other.here - one.here || other.seen - one.seen);
    const held = this.list.contains(document.activeElement);
    this.list.replaceChildren(...rows.map((device) => this.#row(device, mine)));
    if (held) this.more.focus(); // the button that had it is gone
    this.#count(devices.length);
  }

  /** Signing out here ends the person only with the last device, and only then it has to ask. */
  #count(number) {
    const { form, say, you } = this;
    form.dataset.devices = number;
    form.querySelector(".sure p").textContent = say("me.only", { name: you.name });
  }

  #row(device, mine) {
    const { say } = this;
    const { made, seen, here } = device;
    const label = device.label || say("devices.unnamed");
    const isNew = made > mine?.made && Date.now() - made < NEW;
    const tag = here ? say("devices.here") : isNew && say("devices.new");
    const title = part("span", "fn", {}, element("bdi", label));
    if (tag) title.append(" ", part("span", "tag", {}, tag));
    const when = here ? say("devices.since", { day: dateOf(made, this.language) }) : lastHere(seen, say, this.language);
    const words = part("span", "grow", {}, title, part("span", "sub", {}, when));
    const row = element("li", icon(PHONES.test(label) ? "phone" : "laptop"), words);
    if (!here) row.append(this.#out(device));
    return row;
  }

  #out(device) {
    const { say } = this;
    const button = part("button", "btn s", { type: "button", ariaDescription: device.label }, say("devices.out"));
    button.addEventListener("click", () => this.#signOut(device));
    return button;
  }

  #signOut({ id, label }) {
    return attempt(this.error, async () => {
      await ask(`${this.base}devices/${id}`, this.say, new URLSearchParams());
      this.told.textContent = this.say("devices.went", { device: label });
      await this.show();
    });
  }
}
