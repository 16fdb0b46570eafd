// Owns what the header says of the room: what it is about and what holds in it; when that is changed,
// retold.js tells it. Comes after the first messages.

import { clone } from "./dom.js";
import { lazily } from "./lazily.js";
import { rulesOf, settingsOf } from "./rules.js";

/** A topic as the server keeps it. */
export const oneLine = (text) => text.trim().replace(/\s+/g, " ");

export class Header {
  typed; // a topic that was not taken, for the next try
  #known; // the settings as they are shown
  #listeners = [];
  #retold = lazily("retold", (made) => made);

  /** `model` knows the settings, `outbox` my change to the topic; `online()`: is the line up. */
  constructor({ model, outbox, online, timeline, announcer, you, say }) {
    Object.assign(this, { model, outbox, online, timeline, announcer, you, say });
    this.place = document.querySelector(".tt");
    this.show();
  }

  /** `listener()` hears when something may be another. */
  on(listener) {
    this.#listeners.push(listener);
  }

  get settings() {
    return settingsOf(this.model.settings);
  }

  /** As the room has it, or as I have changed it. */
  show() {
    const { change, settings, topic } = this;
    this.#known = settings;
    const find = (selector) => this.place.querySelector(selector);
    find(".about").hidden = topic === "";
    find(".topic").textContent = find(".topic").title = topic;
    find("button").title = topic || find("button").ariaLabel;
    find(".rules").textContent = rulesOf(settings, this.say).map((rule) => `${rule} · `).join("");
    showLock(find(".hash"), settings.private, "# ");
    const fate = change?.failed ? "topic.failed" : change && !change.done && !this.online() ? "message.waiting" : "";
    const mark = find(".fate");
    mark.hidden = fate === "";
    mark.textContent = fate && this.say(fate);
    mark.classList.toggle("failed", Boolean(change?.failed));
    for (const listener of this.#listeners) listener();
  }

  /** My newest change of the topic that is not shown by the room itself. */
  get change() {
    return this.outbox.entries.findLast(({ command }) => command === "room");
  }

  get topic() {
    return String(this.change?.fields.topic ?? this.settings.topic);
  }

  /** Another topic; what failed before is tried again as this, or not at all. */
  arrange(topic) {
    this.typed = undefined;
    if (this.change?.failed) this.outbox.discard(this.change.cid);
    if (topic !== this.topic) this.outbox.add("room", { topic });
  }

  /** The room has other settings; who was there when it got them is told what is another. */
  async changed({ live }) {
    const before = this.#known;
    this.show();
    const now = this.settings;
    if (live) (await this.#retold())?.tell(before, now, this);
  }

  /** It will not be done; the line says again what it said before. */
  refused(topic) {
    if (topic !== undefined) this.typed = topic;
    this.show();
  }
}

/** A room that not everybody sees has a lock where others have their sign. */
export function showLock(place, locked, sign = "#") {
  if (Boolean(place.firstElementChild) !== Boolean(locked)) place.replaceChildren(locked ? clone("sign-lock") : sign);
}
