// Owns what the dialog "Invite" has for those who may let others in: links that work for a time and for
// a number of people. The others read what the address of the room is worth, and whom to ask. Fetched
// when the dialog is opened first.

import { ask, attempt } from "./ask.js";
import { element } from "./dom.js";
import { part } from "./frame.js";
import { icon } from "./icon.js";
import { offer, readable, roomLink, scan } from "./invite.js";
import { hint } from "./rows.js";
import { untilWhen } from "./until.js";

const DAY = 86_400_000; // ms
const FOREVER = 253_402_300_800_000; // ms: the year 10000, as the server says it
const DAYS = ["7", "1", "30", "ever"];
const USES = ["10", "1", "100", "0"]; // 0: any number
const ROLES = { moderator: ["member", "guest"], owner: ["member", "guest", "moderator"] };
const HOSTS = ["owner", "moderator"];

export class Inviting {
  /** `closed()`: why the room's address is not enough, or ""; `people()`: those in the room. */
  constructor({ dialog, boot, language, order, say, closed, people }) {
    Object.assign(this, { dialog, boot, language, order, say, closed, people });
    Object.assign(this, roomLink(new URL(`${boot.base}i`, location.href), boot.network));
    this.plain = dialog.querySelector(".invitation");
    this.note = part("section", "part whom");
    this.form = part("section", "part inviting");
    this.given = part("div", "given");
    this.error = part("p", "err", { role: "alert" });
    this.list = part("section", "part links");
    this.note.tabIndex = -1;
  }

  /** Everything as it is by now. */
  async show() {
    const { say, closed, boot } = this;
    const why = closed();
    const host = HOSTS.includes(boot.standing?.role);
    for (const section of [this.note, this.form, this.list]) section.remove();
    if (why) {
      const words = say(`invite.${why}.${host ? "host" : "why"}`, { room: boot.title, who: this.#who() });
      this.note.replaceChildren(hint("lock", words));
      this.note.autofocus = !host; // there is nothing to press
      this.dialog.append(this.note);
    }
    this.plain.hidden = Boolean(why);
    if (!host) return;
    this.dialog.append(this.form, this.list);
    this.#build(Boolean(why));
    await this.#load();
  }

  /** Who may be asked for a link, as far as they are known here. */
  #who() {
    const names = this.people().filter(({ role }) => HOSTS.includes(role)).map(({ name }) => `\u2068${name}\u2069`);
    const list = new Intl.ListFormat(this.language, { type: "disjunction" });
    return names.length > 0 ? list.format(names.slice(0, 3)) : this.say("invite.who");
  }

  #build(alone) {
    const { say } = this;
    this.as = this.#pick("invite.as", ROLES[this.boot.standing.role].map((role) => [role, say(`invite.as.${role}`)]));
    this.days = this.#pick("invite.for", DAYS.map((days) => [days, days === "ever" ? say("invite.ever") : say("invite.days", { n: Number(days) })]));
    this.uses = this.#pick("invite.and", USES.map((uses) => [uses, this.#persons(Number(uses))]));
    this.make = part("button", `btn s ${alone ? "go" : ""}`, { type: "button", autofocus: alone }, icon("link"), say("invite.make"));
    this.make.addEventListener("click", () => attempt(this.error, () => this.#invite()));
    this.choices = part("div", "picks", {}, ...[this.as, this.days, this.uses].map(({ label }) => label));
    this.form.replaceChildren(element("h3", say("invite.limited")), this.given, this.error, part("div", "btns", {}, this.make));
    this.#clear();
  }

  #clear() {
    this.given.replaceChildren(this.choices);
    this.plain.hidden = Boolean(this.closed());
  }

  #pick(name, options) {
    const select = part("select", "pick", {}, ...options.map(([value, text]) => new Option(text, value)));
    const label = element("label", part("span", "sub", {}, this.say(name)), select);
    return { label, get value() { return select.value; } };
  }

  #persons(n) {
    return n ? this.say("invite.persons", { n }) : this.say("invite.anyone");
  }

  /** Has a link made as it was chosen, and shows it. */
  async #invite() {
    const { boot } = this;
    const [role, uses] = [this.as.value, Number(this.uses.value)];
    const until = this.days.value === "ever" ? FOREVER : Date.now() + Number(this.days.value) * DAY;
    const made = await this.order("invite", { role, until, uses, room: boot.room });
    this.#give(made, { role, until, uses });
    await this.#load();
  }

  #give({ id, token, code }, { role, until, uses }) {
    const { say, boot, language } = this;
    const link = `${this.href}#${token}`;
    this.shown = id;
    const gives = say(`invite.gives.${role}`, { room: boot.title });
    const works = say("invite.works", { until: untilWhen(until, say, language), persons: this.#persons(uses) });
    const field = part("input", "field link", { readOnly: true, dir: "ltr", value: readable(link), ariaLabel: say("invite.new") });
    const copy = part("button", "btn go copy-link", { type: "button" }, say("invite.copy"));
    const picture = part("img", "qr", { alt: say("invite.qr"), width: 168, height: 168 });
    const status = part("p", "vh", { role: "status" });
    const typed = element("p", say("invite.code", { address: readable(this.href).replace(/^https?:\/\//, "") }), " ", part("b", "pin", {}, code));
    this.plain.hidden = true; // of two codes to scan, one is the wrong one
    this.given.replaceChildren(
      part("p", "sub", {}, `${gives} ${works}`),
      part("div", "pair", {}, field, copy),
      ...(this.narrow ? [part("p", "sub", {}, say("invite.narrow"))] : []),
      part("div", "scan", {}, picture, this.choices),
      typed,
      ...(navigator.share ? [this.#share(link)] : []),
      status,
    );
    scan(picture, link, boot.base);
    copy.addEventListener("click", () => offer(this.given, copy, link, say));
    this.make.lastChild.data = say("invite.again");
    this.make.classList.remove("go"); // one button leads
    copy.focus();
  }

  #share(url) {
    const button = part("button", "btn s", { type: "button" }, this.say("invite.share"));
    button.addEventListener("click", () => navigator.share({ url }).catch(() => {}));
    return button;
  }

  // --- the links that work

  async #load() {
    await attempt(this.error, async () => this.#list(await ask(`${this.boot.base}invites`, this.say)));
  }

  #list(invites) {
    const { say } = this;
    const rows = invites.map((invite) => this.#row(invite));
    const list = rows.length > 0 ? part("ul", "list", {}, ...rows) : part("p", "sub", {}, say("invite.none"));
    this.list.replaceChildren(element("h3", say("invite.links")), list);
  }

  #row(invite) {
    const { say, language, boot } = this;
    const { role, title, room, until, uses, used, by, people } = invite;
    const what = say(`invite.row.${role}`, { room: title ?? room ?? boot.title });
    const counted = uses ? say("invite.used_of", { n: used, of: uses }) : say("invite.used", { n: used });
    const who = by === boot.you.name ? say("invite.by_you") : say("invite.by", { name: `\u2068${by}\u2069` });
    const words = part(
      "span",
      "grow",
      {},
      part("span", "fn", {}, say("invite.row", { what, until: untilWhen(until, say, language) })),
      part("span", "sub", {}, `${who}, ${counted}`),
    );
    if (people.length > 0) words.append(this.#came(people));
    return element("li", icon("link"), words, this.#revoke(invite, what));
  }

  #came(people) {
    const names = new Intl.ListFormat(this.language).format(people.map((name) => `\u2068${name}\u2069`));
    return part("span", "sub", {}, this.say("invite.came", { names }));
  }

  #revoke({ id }, what) {
    const button = part("button", "btn s", { type: "button", ariaDescription: what }, this.say("invite.revoke"));
    button.addEventListener("click", () => attempt(this.error, async () => {
      await this.order("revoke", { id });
      if (id === this.shown) this.#clear();
      await this.#load();
      this.make.focus();
    }));
    return button;
  }
}
