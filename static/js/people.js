// Owns the panel of people and the line about them in the header. Knows no list of messages and no
// socket. Comes after the first messages, with what else is told of people: nobody needs it before
// the line is there.

import { Announcer } from "./announcer.js";
import { wireRename, wireSignOut } from "./dialogs.js";
import { clone, element } from "./dom.js";
import { openDialog, wireDrawers } from "./drawers.js";
import { wireLeaving } from "./leaving.js";
import { wireInvites } from "./invite.js";
import { wireKeys } from "./keys.js";
import { addNote } from "./notes.js";
import { mark } from "./roles.js";
import { Typing } from "./typing.js";
import { initials } from "./words.js";

const MANY = 20; // people; above that one looks for a name

const find = (selector) => document.querySelector(selector);
/** A text without what one may leave out when looking for it: marks and capitals. */
export const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** The panel of people and the line about them in the header; `typing` and `announcer` beside. */
export class People {
  #rows = new Map(); // user -> row
  fills = {}; // name of a dialog -> fetches and shows what is in it; false: it is not to be opened
  known = { total: 0, here: 0, people: [] };

  constructor({ you, say, language, forget, base, network, timeline }) {
    Object.assign(this, { you, say, timeline });
    this.typing = new Typing(say, language);
    this.announcer = new Announcer(say, you);
    this.order = new Intl.Collator(language).compare;
    this.field = find(".people input");
    this.field.addEventListener("input", () => this.#list());
    wireDrawers();
    wireKeys();
    wireInvites({ say, base, network });
    wireRename(find("form.rename"), you, say);
    wireSignOut(find("form.sign-out"));
    wireLeaving(find("form.sign-out"), say, forget);
  }

  /** Opens the dialog that a button stands for, once what is in it is there. */
  async open(button) {
    const name = button.dataset.opens;
    const dialog = find(`dialog#${name}`);
    if ((await this.fills[name]?.(button)) !== false && !dialog.open) openDialog(dialog, button);
  }

  show(known) {
    const { total, here, people } = known;
    const { say, you, order } = this;
    const words = total < 2 ? "people.alone" : total === here ? "people.all" : "people.count";
    find(".present").textContent = say(words, { n: total, here });
    const mine = ({ user }) => Number(user === you.user);
    people.sort((one, other) => mine(other) - mine(one) || order(one.name, other.name));
    this.known = known;
    this.field.hidden = people.length <= MANY;
    this.#list();
  }

  /** Who is there now, and a quiet line for each who came, which no message belongs to. */
  arrive(known) {
    this.show(known);
    for (const name of known.joined ?? []) {
      if (name === this.you.name) continue;
      addNote(this.timeline, "join", name, (who) => this.say("people.joined", { name: who }));
    }
  }

  /** Somebody types, or has stopped. */
  heard(someone) {
    if (someone.user === this.you.user) return;
    if (someone.stopped) this.typing.stopped(someone.user);
    else this.typing.heard(someone);
  }

  /** Who is here, then who is away; only who is looked for. */
  #list() {
    const { total, here, people } = this.known;
    const sought = this.field.hidden ? "" : plain(this.field.value.trim());
    const found = people.filter(({ name }) => plain(name).includes(sought));
    const [held, before] = [document.activeElement, this.#rows];
    this.#rows = new Map(people.map(({ user }) => [user, before.get(user) ?? clone("person")]));
    const parts = [true, false].flatMap((present) =>
      this.#group(
        found.filter((person) => (person.here ?? true) === present),
        present ? "people.group.here" : "people.group.away",
        present ? here : total - here,
      ),
    );
    if (sought && found.length === 0) parts.push(this.#line("none", this.say("people.nobody")));
    const unnamed = total - people.length;
    if (unnamed > 0 && !sought) parts.push(this.#line("unnamed", this.say("people.more", { n: unnamed })));
    find(".crowd").replaceChildren(...parts);
    if (held !== document.activeElement) held.focus({ preventScroll: true }); // its row has another place
  }

  #group(people, words, n) {
    if (people.length === 0) return [];
    const list = element("ul", ...people.map((person) => this.#row(person)));
    return [element("h2", this.say(words, { n })), list];
  }

  #line(name, words) {
    const line = element("p", words);
    line.className = name;
    return line;
  }

  #row({ user, name, color, here = true, role }) {
    const row = this.#rows.get(user);
    const button = row.firstElementChild;
    button.className = `person a${color}`;
    button.dataset.user = user;
    if (user === this.you.user) Object.assign(button, { ariaHasPopup: "dialog" }).dataset.opens = "me";
    row.querySelector(".av").textContent = initials(name);
    row.querySelector(".pn").textContent = user === this.you.user ? this.say("you") : name;
    row.querySelector(".dot").classList.toggle("away", !here);
    row.querySelector(".dot + .vh").textContent = this.say(here ? "people.here" : "people.away");
    button.classList.toggle("bot", role === "bot");
    mark(row, role, this.say);
    return row;
  }
}
