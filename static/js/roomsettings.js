// Owns the dialog of a room's settings: what it is about, who may write, who sees it, what is kept, and
// what the person has of it. Whoever may not change something reads how it is. Comes when it is opened
// first.

import { element } from "./dom.js";
import { showLock } from "./header.js";
import { icon } from "./icon.js";
import { Members } from "./members.js";
import { moderates } from "./ranks.js";
import { fill, levelRow, muteRow, sub, toldRow, topicRow } from "./roomrows.js";
import { choices, pickRow, switchRow } from "./rows.js";
import { barredBy, keepWords, MODES, waitWords } from "./rules.js";

const WAITS = [10, 30, 60, 300, 900, 3600]; // seconds
const USUAL = 30;
const KEEPS = [null, 365, 90, 30, 7, 0]; // days; 0: an hour

export class RoomSettings {
  #rows = []; // {node, show}
  #may = ""; // what of it the person may change
  #asked = {}; // settings that are on their way

  /** Of `page`: what the header shows, what the person is, their settings, and how an order is given. */
  constructor({ dialog, page, kept, notify, say, room, title }) {
    const { header, boot, order } = page;
    Object.assign(this, { dialog, page, header, kept, notify, say, room, title, order, you: boot.you });
    Object.assign(this, { limit: boot.limits.topic, address: page.room, house: page.root.href === location.href.split("#")[0] });
    this.error = Object.assign(element("p"), { className: "err", role: "alert" });
    header.on(() => this.dialog.open && this.show());
    kept.on(() => this.dialog.open && this.show());
  }

  open() {
    this.#may = "";
    this.error.textContent = "";
    this.show();
  }

  /** Everything as it is now. */
  show() {
    const { standing } = this.page.boot;
    const now = Date.now();
    const writes = !barredBy(standing, this.header.settings, now);
    const may = { governs: moderates(standing, now), arranges: writes && !["guest", "bot"].includes(standing.role), ...standing };
    if (JSON.stringify(may) !== this.#may) this.#build(may);
    for (const { show } of this.#rows) show();
    showLock(this.dialog.querySelector(".hash"), this.header.settings.private, "# ");
  }

  get #settings() {
    return { ...this.header.settings, ...this.#asked };
  }

  #build(may) {
    this.#may = JSON.stringify(may);
    this.#rows = [];
    for (const old of this.dialog.querySelectorAll(".part")) old.remove();
    const none = () => [this.header.topic || this.say("settled.none")];
    const told = (words) => toldRow(() => words.call(this));
    this.#part("about", may.arranges ? topicRow(this) : toldRow(none));
    this.#part("write", may.governs ? this.#modes() : told(this.#modeWords));
    const see = this.#part("see", ...(may.governs ? this.#sees() : [told(this.#privateWords), told(this.#keepWords)]));
    if (!may.governs) see.append(sub(this.say("settled.asks")));
    this.#part("me", levelRow(this), muteRow(this));
    if (!this.house) this.#leaving(may.role === "owner");
    this.dialog.querySelector(".part :is(input, select)").autofocus = true;
  }

  #part(name, ...rows) {
    const part = element("section", element("h3", this.say(`settled.${name}`)), ...rows.map(({ node }) => node));
    part.className = "part";
    this.#rows.push(...rows);
    this.dialog.append(part);
    return part;
  }

  // --- who may write

  #modes() {
    const { say } = this;
    const options = MODES.map((mode) => [mode, ...this.#modeOf(mode)]);
    const wait = Object.assign(element("select"), { className: "pick", ariaLabel: say("settled.wait") });
    const set = (mode) => this.#set(row.node, mode === "slow" ? { mode, slow: this.#settings.slow || USUAL } : { mode });
    const row = choices(say("settled.write"), options, { get: () => this.#settings.mode, set });
    row.node.querySelector("[value=slow]").parentElement.append(wait);
    wait.addEventListener("change", () => this.#set(row.node, { slow: Number(wait.value) }));
    const show = () => {
      const { mode, slow } = this.#settings;
      const waits = [...new Set([...WAITS, slow])].filter(Boolean).sort((one, other) => one - other);
      fill(wait, waits.map((time) => [time, waitWords(time, say)]), slow);
      wait.hidden = mode !== "slow";
      row.show();
    };
    return { node: row.node, show };
  }

  #modeOf(mode) {
    return [this.say(`settled.${mode}`), this.say(`settled.${mode}.hint`)];
  }

  #modeWords() {
    const { mode, slow } = this.#settings;
    const [name, hint] = this.#modeOf(mode);
    return [name, mode === "slow" ? this.say("rules.slow", { time: waitWords(slow, this.say) }) : hint];
  }

  // --- who sees it, and for how long

  #sees() {
    const { say } = this;
    const words = [say("settled.private"), say("settled.private.hint")];
    const setting = { get: () => this.#settings.private, set: (on) => this.#set(hidden.node, { private: on }) };
    const hidden = switchRow(words, [true, false], setting);
    const members = new Members({ ...this, fail: (error) => this.#fail(members.node, error) });
    const show = () => members.show(this.header.settings.private);
    return [hidden, { node: members.node, show }, ...this.#keeps()];
  }

  #privateWords() {
    const hidden = this.#settings.private;
    return hidden ? [this.say("settled.private"), this.say("settled.private.told")] : [this.say("settled.public")];
  }

  #keeps() {
    const { say } = this;
    const row = pickRow([say("settled.keep"), say("settled.keep.hint")], [], {
      get: () => "",
      set: (value) => this.#keep(sure, value === "" ? null : Number(value)),
    });
    const sure = element("div");
    const select = row.node.querySelector("select");
    const show = () => {
      const { keep } = this.#settings;
      const days = [...new Set([...KEEPS, keep])].sort((one, other) => lasting(other) - lasting(one));
      if (!sure.firstChild) fill(select, days.map((one) => [one ?? "", this.#keepName(one)]), keep ?? "");
    };
    return [{ node: row.node, show }, { node: sure, show: () => {} }];
  }

  /** What goes for good is asked about, once. */
  #keep(sure, keep) {
    const set = () => this.#set(sure, { keep });
    if (lasting(keep) >= lasting(this.#settings.keep)) return sure.replaceChildren(), set();
    this.#ask(sure, this.say("settled.shorten", { time: keepWords(keep, this.say) }), "settled.shorten.sure", set);
  }

  #keepName(keep) {
    const { say } = this;
    return keep === null ? say("settled.ever") : keep === 0 ? say("settled.never") : keepWords(keep, say);
  }

  #keepWords() {
    const { keep } = this.#settings;
    return [this.say("settled.keep"), keep === null ? this.say("settled.ever") : this.say("rules.keep", { time: keepWords(keep, this.say) })];
  }

  // --- leaving and removing

  #leaving(owner) {
    const { room, say, title } = this;
    const buttons = element("div", this.#button("out", say("settled.leave", { room: title }), () => this.#leave()));
    buttons.className = "pair";
    const sure = element("div");
    const still = (node) => ({ node, show: () => {} });
    this.#part("leaving", still(buttons), still(sure));
    if (!owner) return;
    const remove = async () => {
      const removed = await this.order("remove_room", { room }).catch((error) => this.#fail(sure, error));
      if (removed) location.assign(this.page.root);
    };
    const ask = () => this.#ask(sure, say("settled.remove.what", { room: title }), "settled.remove.sure", remove);
    const button = this.#button("delete", say("settled.remove"), ask);
    button.classList.add("bad");
    buttons.append(button);
  }

  #leave() {
    if (this.page.desk.send("leave", { room: this.room })) location.assign(this.page.root);
    else this.#fail(this.dialog.querySelector(".part:last-child > div"), { detail: this.say("order.offline") });
  }

  #button(sign, words, act) {
    const button = element("button", icon(sign), words);
    button.addEventListener("click", act);
    return Object.assign(button, { className: "btn s", type: "button" });
  }

  // --- what is done

  /** Asks once, in `place`; what is true is shown again if it is not to be. */
  #ask(place, words, yes, act) {
    const answer = (key, act) => {
      const button = Object.assign(element("button", this.say(key, { room: this.title })), { className: "btn s", type: "button" });
      button.addEventListener("click", () => (place.replaceChildren(), act(), this.show()));
      return button;
    };
    const [sure, stay] = [answer(yes, act), answer("message.cancel", () => {})];
    sure.classList.add("bad");
    const pair = Object.assign(element("div", sure, stay), { className: "pair" });
    place.replaceChildren(Object.assign(element("div", element("p", words), pair), { className: "sure" }));
    stay.focus();
  }

  async #set(place, fields) {
    this.#asked = { ...this.#asked, ...fields };
    this.error.textContent = "";
    this.show();
    await this.order("room", fields).catch((error) => this.#fail(place, error));
    this.#asked = Object.fromEntries(Object.entries(this.#asked).filter(([key, value]) => fields[key] !== value));
    this.show();
  }

  #fail(place, { detail }) {
    place.after(this.error);
    this.error.textContent = detail;
  }
}

/** How long something is kept, to compare. */
const lasting = (keep) => (keep === null ? Infinity : keep);
