// Owns the list of who is let into a private room, and the field by which others are found. Comes with
// the dialog of the room.

import { element } from "./dom.js";
import { mark } from "./roles.js";
import { initials } from "./words.js";

const STILL = 200; // ms without a letter before somebody is looked for

export class Members {
  #members = null; // as last told
  #asked = 0; // counts: an answer that comes late is thrown away
  #timer = 0;

  /** `address` is the room's; `order` gives an order, `fail(error)` says why one was not done. */
  constructor({ address, order, room, say, you, fail }) {
    Object.assign(this, { address, order, room, say, you, fail });
    this.list = Object.assign(element("ul"), { ariaLabel: say("settled.members"), className: "members" });
    this.found = Object.assign(element("ul"), { ariaLabel: say("settled.found"), className: "members" });
    this.field = Object.assign(element("input"), { type: "search", className: "field", autocomplete: "off" });
    this.field.ariaLabel = this.field.placeholder = say("settled.add");
    this.nobody = Object.assign(element("p"), { className: "sub", role: "status" });
    this.node = element("div", this.list, this.field, this.found, this.nobody);
    this.node.className = "letin";
    this.field.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#find(), STILL);
    });
  }

  /** Only where the room is private; whoever was let in meanwhile is in the list when it opens anew. */
  show(hidden) {
    const opens = hidden && (this.node.hidden || !this.#members);
    this.node.hidden = !hidden;
    if (opens) this.#load();
  }

  async #load() {
    this.#members = [];
    const { people } = await this.#ask("").catch(() => ({}));
    if (!people) return (this.#members = null);
    this.#members = people;
    this.list.replaceChildren(...people.map((person) => this.#row(person, false)));
  }

  /** People of the whole chat by the beginning of their names, without those who are in. */
  async #find() {
    const asked = (this.#asked += 1);
    const sought = this.field.value.trim();
    const { people } = sought ? await this.#ask(`?find=${encodeURIComponent(sought)}`).catch(() => ({})) : { people: [] };
    if (asked !== this.#asked) return;
    const inside = new Set(this.#members?.map(({ user }) => user));
    const found = (people ?? []).filter(({ user }) => !inside.has(user));
    this.found.replaceChildren(...found.map((person) => this.#row(person, true)));
    const none = people ? "people.nobody" : "order.late";
    this.nobody.textContent = sought && found.length === 0 ? this.say(none) : "";
  }

  async #ask(query) {
    const answer = await fetch(`${this.address}/members${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(answer.statusText);
    return answer.json();
  }

  /** Somebody, and the one thing that can be done about it. An owner is in every room. */
  #row({ user, name, color, role }, add) {
    const face = Object.assign(element("span", initials(name)), { className: "av s", ariaHidden: "true" });
    const who = Object.assign(element("span", user === this.you.user ? this.say("you") : name), { className: "pn", dir: "auto" });
    const row = Object.assign(element("li", face, who), { className: `person a${color}` });
    mark(row, role, this.say);
    if (add || (role !== "owner" && user !== this.you.user)) row.append(this.#button(user, name, add));
    return row;
  }

  #button(user, name, on) {
    const button = element("button", this.say(on ? "settled.let_in" : "settled.let_out"));
    Object.assign(button, { className: "btn s", type: "button" });
    button.ariaLabel = this.say(on ? "settled.let_in.who" : "settled.let_out.who", { name });
    button.addEventListener("click", () => this.#let(user, on));
    return button;
  }

  /** Both lists as they are after it; the focus goes on from the field. */
  async #let(user, on) {
    try {
      await this.order("member", { room: this.room, user, on });
    } catch (error) {
      return this.fail(error);
    }
    if (on) this.field.value = "";
    await this.#load();
    await this.#find();
    this.field.focus();
  }
}
