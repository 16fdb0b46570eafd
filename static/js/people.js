// Owns the panel of people and the line about them in the header. Knows no list of messages and no
// socket. Comes after the first messages, with what else is told of people: nobody needs it before
// the line is there.

import { Announcer } from "./announcer.js";
import { wireDialogs, wireInvite, wireRename } from "./dialogs.js";
import { clone, element } from "./dom.js";
import { Typing } from "./typing.js";
import { initials } from "./words.js";

const find = (selector) => document.querySelector(selector);

/** The panel of people and the line about them in the header; `typing` and `announcer` beside. */
export class People {
  constructor({ you, say, language }) {
    Object.assign(this, { you, say });
    this.typing = new Typing(say, language);
    this.announcer = new Announcer(say);
    wireDialogs();
    wireInvite(find("dialog#invite"), say);
    wireRename(find("form.rename"), you, say);
  }

  show({ total, here, people }) {
    const { say } = this;
    find(".top .sub").textContent =
      total < 2 ? say("people.alone") : say("people.count", { n: total, here });
    const rows = people.map((person) => this.#row(person));
    if (total > people.length) {
      const more = element("li", say("people.more", { n: total - people.length }));
      more.className = "more";
      rows.push(more);
    }
    find(".people ul").replaceChildren(...rows);
  }

  #row({ user, name, color, here = true }) {
    const row = clone("person");
    row.classList.add(`a${color}`);
    row.querySelector(".av").textContent = initials(name);
    row.querySelector(".pn").textContent = user === this.you.user ? this.say("you") : name;
    row.querySelector(".dot").classList.toggle("away", !here);
    row.querySelector(".vh").textContent = this.say(here ? "people.here" : "people.away");
    return row;
  }
}
