// Owns what may be done about whom: who the person acts on, in the menu of a person and in those of
// rows. It is done by sanctions.js. Fetched with the first menu, for moderators at once.

import { lazily } from "./lazily.js";
import { Oversight } from "./oversight.js";
import { PersonMenu } from "./person.js";
import { isNamed, moderates, nextRole, outranks } from "./ranks.js";

const UNDO = 10_000; // ms

export class Whom {
  /** The parts are those of rest.js. */
  constructor(page, { people, actions, deeds, strip }) {
    const { say, timeline } = page;
    Object.assign(this, { page, people, deeds, say, timeline });
    this.chat = () => document.querySelector("#rooms-title").textContent;
    this.find = (user) => (this.#moderates ? find(`${page.boot.base}people/${encodeURIComponent(user)}`) : null);
    const tell = (key, values, act) => strip.brief({ key, values, kind: "good", ...(act && { button: "message.undo", act }) }, UNDO);
    const warn = (detail) => deeds.warn(detail);
    const { order } = page;
    this.sanctions = lazily("sanctions", ({ Sanctions }) => new Sanctions({ ...this, order, tell, warn }), "settings");
    this.menu = new PersonMenu({ ...this, offers: (person) => this.#offers(person), caption: (person) => this.#caption(person) });
    const oversight = new Oversight({ ...this, may: (message) => this.#overRow(message), acts: this.#ofRow(actions) });
    actions.more = (row) => oversight.offers(row);
    actions.toolbar.adapt = (choices, row) => oversight.adapt(choices, row);
  }

  /** The menu of somebody, beside what was pressed. */
  open(user, opener) {
    const { name, role } = this.#known(user) ?? this.timeline.message(opener.closest(".msg"));
    this.menu.open({ user, name, role: role ?? "member" }, opener);
  }

  get #standing() {
    return this.page.boot.standing ?? {};
  }

  get #moderates() {
    return moderates(this.#standing, Date.now());
  }

  #known(user) {
    return this.people.known.people.find((person) => person.user === user);
  }

  #mayActOn({ user, role = "member" }) {
    return this.#moderates && user !== this.page.boot.you.user && outranks(this.#standing.role, role);
  }

  // --- in a row

  /** What is offered for what somebody has written, by names. */
  #overRow({ id, user }) {
    if (!id || !this.#moderates || user === this.page.boot.you.user) return [];
    if (!this.#mayActOn({ user, role: this.#known(user)?.role })) return ["about", "delete"];
    return isNamed(user) ? ["about", "silence", "delete", "ban"] : ["about", "delete", "ban"];
  }

  #ofRow({ deletions }) {
    const act = (done) => ({ user, name }, row) => this.#act(done, { user, name }, row);
    return { about: ({ user }, row) => this.open(user, row.querySelector(".who")), silence: act("mute"), ban: act("ban"), delete: (_, row) => this.#delete(deletions, row) };
  }

  /** As one's own: it can be taken back for a while. It does not wait for a line: others decide too. */
  #delete(deletions, row) {
    if (this.page.desk.connection.online) deletions.add(row);
    else this.deeds.warn(this.say("order.offline"));
  }

  // --- in the menu of a person

  #offers(person) {
    const { user, role, muted = 0 } = person;
    const owner = this.#standing.role === "owner";
    const next = owner && isNamed(user) && nextRole(role);
    const offer = (name, sign, bad = false, key = name) => {
      const words = this.say(`whom.${key}`, { chat: this.chat() });
      return { name, sign, bad, words, act: (...given) => this.#act(name, ...given) };
    };
    const mention = { ...offer("mention", "chat"), act: ({ name }) => this.#mention(name) };
    if (!this.#mayActOn(person)) return [[mention]];
    const named = [
      muted > Date.now() ? offer("unmute", "mute") : offer("mute", "mute"),
      next && offer("appoint", "shield", false, next),
      role !== "bot" && offer("readmit", "link"),
    ];
    const all = [...(isNamed(user) ? named : []), offer("wipe", "delete", true), offer("ban", "ban", true)];
    return [[mention], all.filter(Boolean)];
  }

  #caption({ name, role, made }) {
    const when = made > 0 && monthOf(made, this.page.language);
    return when ? this.say("whom.since", { name, what: this.say(`whom.is.${role}`), when }) : name;
  }

  async #act(name, person, opener) {
    const sanctions = await this.sanctions();
    if (sanctions) sanctions[name](person, opener);
    else this.deeds.warn(this.say("settings.late"));
  }

  #mention(name) {
    const { area } = this.page.composer;
    document.querySelector(".people:popover-open")?.hidePopover();
    area.focus();
    const before = area.value.slice(0, area.selectionStart);
    document.execCommand("insertText", false, `${/\S$/.test(before) ? " " : ""}@${name} `); // can be undone
  }
}

/** "March", or "March 2025"; of this month "3 December", of this day "today". */
function monthOf(at, language) {
  const [then, now] = [new Date(at), new Date()];
  if (then.toDateString() === now.toDateString()) return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(0, "day");
  const year = then.getFullYear() === now.getFullYear() ? {} : { year: "numeric" };
  const day = !year.year && then.getMonth() === now.getMonth() ? { day: "numeric" } : {};
  return new Intl.DateTimeFormat(language, { ...day, month: "long", ...year }).format(then);
}

/** What the server tells moderators of somebody; null if it cannot be had. */
async function find(address) {
  const answer = await fetch(address, { headers: { Accept: "application/json" } }).catch(() => null);
  return answer?.ok ? answer.json() : null;
}
