// Owns what a person does to rows with a pointer or with keys: moving among them, and everything that
// is offered for one. Each thing is done by whoever owns it; what it comes to goes out through `deeds`.

import { neighbour } from "./chunks.js";
import { Deletions } from "./deletions.js";
import { copyFrom } from "./dialogs.js";
import { Folding } from "./folding.js";
import { MINE, SENT, Toolbar, WRITES } from "./toolbar.js";

const COPIED = 2_000; // ms

// On a row that has the focus; what is in its menu is named there too.
const KEYS = { e: "edit", Delete: "delete", r: "reply", "+": "react", u: "mark-unread" };

export class Actions {
  more = () => ({}); // what moderators may do to a row that was sent, by the names of the buttons

  /** Of `page`: react, reactions, reply and unreadFrom, which other parts of it do. */
  constructor({ timeline, say, editor, deeds, page }) {
    Object.assign(this, { timeline, say, editor, deeds, page });
    this.deletions = new Deletions({ timeline, say, deeds });
    this.folding = new Folding(timeline);
    const tell = (text) => deeds.tell(text);
    const emoji = (row) => page.reactions.mine(row);
    this.toolbar = new Toolbar({ timeline, say, tell, emoji, act: (button, row) => this.#act(button, row) });
    timeline.log.addEventListener("keydown", (event) => this.#key(event));
  }

  /** Ids mean other messages now. */
  begin(epoch) {
    this.editor.begin(epoch);
    this.deletions.clear();
  }

  clicked({ target }) {
    const button = target.closest("button");
    const row = target.closest(".msg");
    if (button && row) this.#act(button, row);
  }

  /** What a button in a row stands for, by its class. */
  #act(button, row) {
    const { deeds, toolbar } = this;
    if (!row.isConnected) return toolbar.close(), deeds.warn(this.say("log.nowhere")); // gone behind its sheet
    const { id, ...message } = this.timeline.message(row);
    const { cid } = this.timeline.waiting.changes.of(id) ?? message; // of what waits, or failed
    const acts = {
      ...this.#offers(row),
      more: () => toolbar.open(row),
      "copy-text": () => toolbar.copy(button, row, "text"),
      "copy-link": () => toolbar.copy(button, row, "link"),
      undo: () => this.deletions.undo(row),
      cancel: () => this.editor.close(row),
      again: () => deeds.again(cid),
      take: () => deeds.take(cid),
      discard: () => deeds.discard(cid),
      quick: () => (toolbar.close(), this.page.reactions.toggle(row, button.textContent)),
      chip: () => this.page.reactions.press(row, button),
      copy: () => this.#copy(button),
      unfold: () => this.folding.toggle(row, button.closest(".code") ?? button.previousElementSibling),
    };
    Object.entries(acts).find(([name]) => button.classList.contains(name))?.[1]();
  }

  /** What may be done to a row as it is now, by the names of its buttons. */
  #offers(row) {
    const { id } = this.timeline.message(row);
    const sent = {
      react: () => this.page.react(row, this.toolbar.button(row, "react")),
      ...(row.matches(WRITES) && { reply: () => this.page.reply(row) }),
      "mark-unread": () => this.page.unreadFrom(id),
    };
    const mine = { ...(row.matches(WRITES) && { edit: () => this.editor.edit(row) }), delete: () => this.deletions.add(row) };
    const offers = { ...(row.matches(SENT) && { ...sent, ...this.more(row) }), ...(row.matches(MINE) && mine) };
    return Object.fromEntries(
      Object.entries(offers).map(([name, act]) => [name, () => (this.toolbar.close(), act())]),
    );
  }

  /** Keys on a row, and in its menu those that stand there. */
  #key(event) {
    const { target } = event;
    const row = target.closest(".msg");
    const inMenu = target.closest(".acts .pop");
    if (!row || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (target !== row && !inMenu) return this.#within(row, event);
    const act = this.#offers(row)[KEYS[key]] ?? (!inMenu && this.#moves(row, event)[key]);
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** From a link, code or button in a row there is a way back to it. */
  #within(row, { key, target }) {
    if (key === "Escape" && !target.closest("[popover], .editor")) row.focus();
  }

  #moves(row, { shiftKey }) {
    const { timeline } = this;
    const writing = row.querySelector(".editor");
    const open = writing ? () => this.editor.edit(row) : row.matches(SENT) && (() => this.toolbar.open(row));
    return {
      ArrowUp: () => neighbour(row, "previous")?.focus(),
      ArrowDown: () => neighbour(row, "next")?.focus(),
      Home: () => timeline.chunks.first.focus(),
      End: () => timeline.toEnd().then(() => timeline.chunks.last.focus(), () => {}), // not without the line
      Escape: () => this.deeds.leave(),
      Enter: open,
      " ": open,
      ContextMenu: open,
      F10: shiftKey && open, // the same on a keyboard without that key
    };
  }

  /** Copies the code that a button stands beside. */
  async #copy(button) {
    const box = button.parentElement;
    if (!(await copyFrom(box, box.querySelector("pre").textContent))) return;
    button.textContent = this.say("text.copied");
    this.deeds.tell(button.textContent);
    setTimeout(() => (button.textContent = this.say("text.copy")), COPIED);
  }
}
