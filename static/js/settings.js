// Owns what the dialog of the person has beside their name and signing out: a row for each setting,
// in sections. Comes when it is opened first.

import { deviceRow } from "./bell.js";
import { enterSends } from "./composer.js";
import { Devices } from "./devices.js";
import { element } from "./dom.js";
import { icon } from "./icon.js";
import { quietHours } from "./levels.js";
import { choiceRow, pickRow, switchRow } from "./rows.js";

const NIGHT = "22:00-07:30"; // quiet hours to begin with
const LEVELS = ["all", "mentions", "none"];

export class Settings {
  #rows = [];

  constructor({ dialog, kept, notify, say, room, title, hear, ...about }) {
    Object.assign(this, { dialog, kept, say, room, title, device: deviceRow(notify, say) });
    this.devices = new Devices({ ...about, say, form: dialog.querySelector(".sign-out") });
    hear((device) => this.devices.heard(device));
    this.error = dialog.querySelector(".refused");
    this.#build();
    this.#wireSections();
    kept.on((keys, refusal = "") => {
      this.error.textContent = refusal;
      this.#showRows();
    });
    notify.on(() => this.device.show());
  }

  /** Everything as it is now, where it is opened. */
  show() {
    this.#showRows();
    this.devices.show();
  }

  #showRows() {
    for (const { show } of this.#rows) show();
  }

  #build() {
    const { say, device } = this;
    const parts = {
      appearance: [this.#choice("theme", "system", "light", "dark"), this.#choice("size", "87", "100", "112", "125", "150")],
      writing: [this.#enter(), this.#switch("typing", "on", "off")],
      notifications: [this.#choice("notify", ...LEVELS), this.#ofRoom(), device, this.#switch("sound", "on", "off"), ...this.#quiet(), this.#pick("announce", ...LEVELS)],
    };
    const last = this.dialog.querySelector(".part:last-child");
    for (const [name, rows] of Object.entries(parts)) {
      const section = element("section", element("h3", say(`settings.${name}`)), ...rows.map(({ node }) => node));
      Object.assign(section, { className: "part", id: `part-${name}` });
      last.before(section);
      this.#rows.push(...rows);
    }
    const devices = element("section", element("h3", say("settings.devices")), this.devices.node);
    last.before(Object.assign(devices, { className: "part", id: "part-devices" }));
  }

  #choice(key, ...values) {
    return choiceRow(this.#words(key), this.#options(key, values), this.#setting(key));
  }

  #pick(key, ...values) {
    return pickRow(this.#words(key), this.#options(key, values), this.#setting(key));
  }

  #switch(key, ...values) {
    return switchRow(this.#words(key), values, this.#setting(key));
  }

  /** What is usual for the device is not kept: what one wants of a keyboard need not hold for glass. */
  #enter() {
    const { kept, say } = this;
    const typed = matchMedia("(pointer: fine)").matches;
    const words = [say("settings.enter"), say(typed ? "settings.enter.hint" : "settings.enter.touch")];
    const usual = typed ? "send" : "line";
    const get = () => (enterSends() ? "send" : "line");
    return switchRow(words, ["send", "line"], { get, set: (way) => kept.set("enter", way === usual ? "" : way) });
  }

  /** What this room has of its own, if it has. */
  #ofRoom() {
    const { say, title, room } = this;
    const options = [["", say("settings.room.same")], ...this.#options("notify", LEVELS)];
    return pickRow([say("settings.room", { room: title })], options, this.#setting(`level:${room}`));
  }

  /** A switch, and from when to when while it is on. */
  #quiet() {
    const { kept, say } = this;
    const setting = { get: () => (kept.get("quiet") ? "on" : ""), set: (on) => kept.set("quiet", on && NIGHT) };
    const times = ["from", "until"].map((end) => this.#time(end));
    const node = element("div", times[0], element("span", say("settings.quiet.to")), times[1]);
    node.className = "pair hours";
    node.addEventListener("change", () => {
      const [from, until] = times.map(({ value }) => value);
      if (from && until) kept.set("quiet", `${from}-${until}`);
    });
    const show = () => {
      node.hidden = !kept.get("quiet");
      quietHours(kept).forEach((time, number) => (times[number].value = time));
    };
    return [switchRow(this.#words("quiet"), ["on", ""], setting), { node, show }];
  }

  #time(end) {
    return Object.assign(element("input"), { type: "time", className: "pick", ariaLabel: this.say(`settings.quiet.${end}`) });
  }

  #words(key) {
    const { say } = this;
    return [say(`settings.${key}`), HINTED.has(key) && say(`settings.${key}.hint`)];
  }

  #options(key, values) {
    return values.map((value) => [value, this.say(`settings.${key}.${value}`)]);
  }

  #setting(key) {
    return { get: () => this.kept.get(key), set: (value) => this.kept.set(key, value) };
  }

  /** The list of sections beside them, on a wide page: leads to one, and says in which one is. */
  #wireSections() {
    const { dialog } = this;
    const parts = [...dialog.querySelectorAll(".part")];
    const links = parts.map((part) => this.#link(part.id.replace("part-", "")));
    const nav = dialog.querySelector("nav");
    nav.append(...links);
    const mark = (now) => links.forEach((link, at) => (link.ariaCurrent = at === now ? "true" : null));
    let led = false; // the scrolling that comes is the link's doing
    nav.addEventListener("click", (event) => {
      const at = links.indexOf(event.target.closest("a"));
      if (at < 0) return;
      event.preventDefault(); // the address is the room's
      led = true;
      parts[at].scrollIntoView();
      firstField(parts[at]).focus({ preventScroll: true });
      mark(at);
    });
    dialog.addEventListener("scroll", () => {
      if (!led) mark(sectionAt(dialog, parts));
      led = false;
    });
    mark(0);
  }

  #link(name) {
    const link = element("a", icon(SIGNS[name]), this.say(`settings.${name}`));
    return Object.assign(link, { className: "item", href: `#part-${name}` });
  }
}

function firstField(part) {
  const fields = [...part.querySelectorAll("input:not([type=hidden]), select, button")];
  return fields.find(({ type, checked }) => type !== "radio" || checked);
}

/** Which section one looks at: at the very ends the first and the last, however short they are. */
function sectionAt(dialog, parts) {
  const { top, height } = dialog.getBoundingClientRect();
  if (dialog.scrollTop <= 0) return 0;
  if (dialog.scrollTop + dialog.clientHeight >= dialog.scrollHeight - 1) return parts.length - 1;
  return parts.findLastIndex((part) => part.getBoundingClientRect().top < top + height / 3);
}

const HINTED = new Set(["quiet", "announce"]);
const SIGNS = { you: "join", appearance: "sun", writing: "edit", notifications: "bell", devices: "phone", out: "out" };
