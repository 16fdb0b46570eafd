// Owns the emoji below messages: the chips, and what of mine is on its way and shown already. The
// picker and its list are fetched on first use. Comes after the first messages.

import { clone, element } from "./dom.js";

const NAMED = 20; // people named on a chip

/** Those that are offered without looking. */
export const SIX = ["👍", "❤️", "😂", "🎉", "😮", "🙏"];

/** The emoji that are called so, best first: [{emoji, name}]; none while their list cannot be had. */
export async function findEmoji(letters, most = 8) {
  const found = import("./emoji.js").then(({ find }) => find(letters));
  return (await found.catch(() => [])).slice(0, most);
}

/** The button in the message box: what is chosen is typed where the caret is. */
export function wireEmoji({ area, form }, reactions, label) {
  const button = form.querySelector(".emoji");
  const chosen = (emoji) => (area.focus(), document.execCommand("insertText", false, emoji)); // can be undone
  button.addEventListener("pointerdown", (event) => event.preventDefault()); // the caret stays in the box
  button.addEventListener("click", () => reactions.choose({ anchor: button, label, chosen }));
}

export class Reactions {
  #waiting = new Map(); // id -> Map of emoji -> on
  #tries = 0;

  /** `warn(sentence)` says that something could not be done. */
  constructor({ timeline, outbox, you, say, storage, warn }) {
    Object.assign(this, { timeline, outbox, you, say, storage, warn });
  }

  /** A chip was pressed. */
  press(row, chip) {
    if (chip.matches(".add")) this.pick(row, chip);
    else this.toggle(row, chip.dataset.emoji);
  }

  /** Puts my emoji below a message, or takes it back. */
  toggle(row, emoji) {
    const { id } = this.timeline.message(row);
    this.outbox.add("react", { id, emoji, on: !this.mine(row).has(emoji) });
  }

  /** The emoji of mine below a message. */
  mine(row) {
    const reactions = this.#below(this.timeline.message(row).id);
    return new Set(reactions.filter(({ user }) => user === this.you.user).map(({ emoji }) => emoji));
  }

  /** Lets a person choose one to put below a message. */
  pick(row, anchor) {
    const chosen = (emoji) => this.toggle(row, emoji);
    return this.choose({ anchor, mine: this.mine(row), label: this.say("reaction.choose"), chosen });
  }

  /** Lets a person choose one, for `chosen(emoji)`; the rest of the options is in picker.js. */
  async choose(options) {
    const { say, storage } = this;
    const again = this.#tries > 0 ? `?${this.#tries}` : ""; // engines remember an address that failed
    const picker = await import(`./picker.js${again}`).catch(() => null);
    if (picker) return picker.open({ say, storage, ...options });
    this.#tries += 1;
    this.warn(say("emoji.failed"));
  }

  /** The emoji below a row, as they are or as I have changed them. */
  show(row, { id }) {
    if (id) this.#draw(row, this.#below(id));
  }

  /** Shows what waits in the outbox. What failed there is given up: nobody wants to be asked again. */
  wait() {
    const old = this.#waiting;
    this.#waiting = new Map();
    for (const { command, fields, cid, failed } of this.outbox.entries) {
      if (command !== "react") continue;
      if (failed) this.#giveUp(cid);
      else this.#waiting.set(fields.id, new Map(this.#waiting.get(fields.id)).set(fields.emoji, fields.on));
    }
    const rows = [...new Set([...old.keys(), ...this.#waiting.keys()])].map((id) => this.timeline.row(id));
    if (rows.length === 0) return;
    this.timeline.scroll.hold(() => {
      for (const row of rows) if (row) this.show(row, this.timeline.message(row));
    });
  }

  #giveUp(cid) {
    this.outbox.discard(cid);
    this.warn(this.say("reaction.failed"));
  }

  #below(id) {
    const mine = this.#waiting.get(id) ?? new Map();
    const { user, name } = this.you;
    const known = this.timeline.model.reactions(id);
    const there = known.filter((one) => one.user !== user || mine.get(one.emoji) !== false);
    const has = (emoji) => there.some((one) => one.user === user && one.emoji === emoji);
    const added = [...mine].filter(([emoji, on]) => on && !has(emoji));
    return [...there, ...added.map(([emoji]) => ({ user, name, emoji }))];
  }

  /** Chips that are there stay where they are: no other one moves under the pointer. */
  #draw(row, reactions) {
    const people = new Map(); // emoji -> reactions
    for (const one of reactions) people.set(one.emoji, [...(people.get(one.emoji) ?? []), one]);
    let group = row.querySelector(":scope > .chips");
    const chips = new Map([...(group?.querySelectorAll("[data-emoji]") ?? [])].map((chip) => [chip.dataset.emoji, chip]));
    for (const [emoji, chip] of chips) if (!people.has(emoji)) this.#remove(chip, people.size > 0);
    if (people.size === 0) return group?.remove();
    if (!group) row.querySelector(".said").after((group = clone("chips")));
    for (const [emoji, by] of people) this.#fill(chips.get(emoji) ?? newChip(group, emoji), emoji, by);
    for (const chip of group.children) chip.tabIndex = row.tabIndex; // as all stops within a row
  }

  #remove(chip, others) {
    if (chip === document.activeElement) (others ? chip.nextElementSibling : chip.closest(".msg")).focus({ preventScroll: true });
    chip.remove();
  }

  #fill(chip, emoji, by) {
    const mine = by.some(({ user }) => user === this.you.user);
    const names = by.slice(0, NAMED).map(({ user, name }) => (user === this.you.user ? this.say("you") : name));
    if (by.length > NAMED) names.push(this.say("people.more", { n: by.length - NAMED }));
    chip.ariaPressed = String(mine);
    chip.ariaLabel = this.say(mine ? "reaction.mine" : "reaction", { emoji, n: by.length });
    chip.title = names.join(", ");
    chip.querySelector("b").textContent = by.length;
  }
}

function newChip(group, emoji) {
  const chip = element("button", element("span", emoji), " ", element("b"));
  Object.assign(chip, { className: "chip", type: "button" });
  chip.dataset.emoji = emoji;
  group.lastElementChild.before(chip);
  return chip;
}
