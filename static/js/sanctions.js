// Owns what moderators do to people: it asks first where others will notice, says what was done, and
// offers the way back where there is one. Fetched with the first use.

import { part } from "./frame.js";
import { lazily } from "./lazily.js";
import { question } from "./question.js";
import { nextRole } from "./ranks.js";
import { choiceRow, hint, switchRow } from "./rows.js";

const MINUTE = 60_000; // ms
const [HOUR, DAY] = [60 * MINUTE, 24 * 60 * MINUTE];
const FOREVER = 253_402_300_800_000; // ms: the end of time, on the wire
const LENGTHS = { mute: { minutes: 10 * MINUTE, hour: HOUR, day: DAY, ever: Infinity }, ban: { day: DAY, week: 7 * DAY, ever: Infinity } };
const BACK = { hour: HOUR, day: DAY, all: Infinity }; // how far what was written is removed
const REASON = 200; // characters

export class Sanctions {
  /** `order` gives an order; `find(user)`: more of a person, or null; `chat()`: what the chat is called;
   *  `tell(key, values, undo)` says what was done, `warn(sentence)` what was not. */
  constructor({ page, say, order, find, chat, tell, warn }) {
    Object.assign(this, { page, say, order, find, chat, tell, warn });
    this.wayback = lazily("wayback", ({ openWayBack }) => openWayBack, "links");
  }

  mute(person, opener) {
    const { say } = this;
    const { user, name } = person;
    const chosen = { length: "hour" };
    const label = part("label", "", { htmlFor: "why" }, say("sanction.reason"));
    const reason = part("input", "field", { id: "why", maxLength: REASON, placeholder: say("sanction.reason_hint"), dir: "auto", autocomplete: "off" });
    const act = async () => {
      await this.order("mute", { user, until: untilOf(LENGTHS.mute[chosen.length]), ...(reason.value.trim() && { reason: reason.value.trim() }) });
      this.tell("sanction.muted", { name }, () => this.#lift("mute", { user, until: 0 }));
    };
    const rows = [this.#choice("sanction.for", LENGTHS.mute, chosen, "length"), part("div", "fields", {}, label, reason)];
    this.#ask("mute", person, { rows, act, opener });
  }

  async unmute({ user, name, muted }) {
    const again = () => this.#lift("mute", { user, until: muted });
    await this.#do("mute", { user, until: 0 }, () => this.tell("sanction.unmuted", { name }, again));
  }

  async appoint({ user, name, role }) {
    const next = nextRole(role);
    const back = () => this.#lift("role", { user, role });
    await this.#do("role", { user, role: next }, () => this.tell(`sanction.${next}`, { name }, back));
  }

  /** Whoever came a day ago at most has nothing to lose: all they wrote is what is chosen. */
  async ban(person, opener) {
    const { say } = this;
    const { user, name, made = 0, messages } = { ...person, ...(person.made ? {} : await this.find(person.user)) };
    const chosen = { length: "ever", wipe: made > Date.now() - DAY && messages > 0 ? "all" : "none", network: false };
    const act = async () => {
      const since = chosen.wipe === "none" ? {} : { since: sinceOf(BACK[chosen.wipe]) };
      const { id } = await this.order("ban", { users: [user], until: untilOf(LENGTHS.ban[chosen.length]), network: chosen.network, ...since });
      this.tell("sanction.banned", { name }, id && (() => this.#lift("unban", { id })));
    };
    const wipe = this.#choice("sanction.wipe", { none: 0, ...BACK }, chosen, "wipe", messages, "sanction.final");
    const network = switchRow([say("sanction.network"), say("sanction.network_hint")], [true, false], setting(chosen, "network"));
    network.show();
    this.#ask("ban", person, { rows: [this.#choice("sanction.for", LENGTHS.ban, chosen, "length"), wipe, network.node], bad: true, act, opener });
  }

  async wipe(person, opener) {
    const { user, name } = person;
    const { messages } = person.made ? person : ((await this.find(user)) ?? {});
    const chosen = { wipe: "hour" };
    const act = async () => {
      await this.order("wipe", { user, since: sinceOf(BACK[chosen.wipe]) });
      this.tell("sanction.wiped", { name });
    };
    const rows = [this.#choice("sanction.written", BACK, chosen, "wipe", messages), hint("alert", this.say("sanction.final"))];
    this.#ask("wipe", person, { rows, bad: true, act, opener });
  }

  /** A link for somebody who has lost every device. */
  async readmit(person, opener) {
    const open = await this.wayback();
    if (open) open(person, opener, { ...this.page.boot, language: this.page.language, say: this.say, order: this.order });
    else this.warn(this.say("settings.late"));
  }

  #ask(name, person, more) {
    const { say } = this;
    const values = { name: person.name, chat: this.chat() };
    question({ title: say(`sanction.${name}.title`, values), about: say(`sanction.${name}.about`, values), go: say(`sanction.${name}.go`, values), say, ...more });
  }

  /** Lengths or times back, all in sight; what is chosen is where the dialog begins. */
  #choice(words, options, chosen, key, messages, below) {
    const { say } = this;
    const group = key === "wipe" ? "sanction.back" : "sanction";
    const named = Object.keys(options).map((name) => [name, say(`${group}.${name === "all" && messages ? "all_of" : name}`, { n: messages })]);
    const row = choiceRow([say(words), below && say(below)], named, setting(chosen, key));
    row.show();
    row.node.querySelector(":checked").autofocus = true;
    return row.node;
  }

  /** What needs no question. */
  async #do(name, fields, done) {
    await this.order(name, fields).then(done, ({ detail }) => this.warn(detail));
  }

  #lift(name, fields) {
    this.#do(name, fields, () => this.tell("sanction.lifted"));
  }
}

const setting = (chosen, key) => ({ get: () => chosen[key], set: (value) => (chosen[key] = value) });
const untilOf = (length) => (length === Infinity ? FOREVER : Date.now() + length);
const sinceOf = (back) => (back === Infinity ? 0 : Date.now() - back);
