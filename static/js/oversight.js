// Owns what moderators find in the menu of a row, for what others have said. Fetched for moderators.

import { element } from "./dom.js";
import { part } from "./frame.js";
import { icon } from "./icon.js";

export class Oversight {
  /** `may(message)`: what may be done about who wrote it, by names; `acts` does it, for (message, row). */
  constructor({ say, chat, timeline, may, acts }) {
    Object.assign(this, { say, chat, timeline, may, acts, line: element("hr") });
    const delete_ = this.#option("delete", "delete", "bad");
    delete_.append(Object.assign(element("kbd", say("key.delete")), { ariaHidden: "true" }));
    delete_.setAttribute("aria-keyshortcuts", "Delete");
    this.options = { about: this.#option("about", "join"), silence: this.#option("silence", "mute"), delete: delete_, ban: this.#option("ban", "ban", "bad") };
  }

  /** Puts what may be done into the choices for a row, with the name of who wrote it. */
  adapt(choices, row) {
    const message = this.timeline.message(row);
    const offered = this.may(message);
    for (const node of [this.line, ...Object.values(this.options)]) node.remove();
    if (offered.length === 0) return;
    const options = offered.map((name) => this.options[name]);
    offered.forEach((name, at) => (options[at].querySelector("span").textContent = this.say(`oversight.${name}`, { name: message.name, chat: this.chat() })));
    choices.append(this.line, ...options);
  }

  /** The same as functions, by the names of their buttons. */
  offers(row) {
    const message = this.timeline.message(row);
    return Object.fromEntries(this.may(message).map((name) => [name, () => this.acts[name](message, row)]));
  }

  #option(name, sign, kind = "") {
    return part("button", `opt ${name} ${kind}`, { type: "button" }, icon(sign), element("span"));
  }
}
