// Owns the panel with all pictures and files of the room, newest first. Fetched when it is opened first.

import { chipOf, isPicture, picturesOf, pictureOf } from "./attachments.js";
import { element } from "./dom.js";
import { openDialog } from "./drawers.js";
import { wireOpening } from "./files.js";
import { part, signButton } from "./frame.js";
import { decodePage } from "./protocol.js";
import { whenOf } from "./times.js";

const PAGE = 50; // messages loaded at once
const PATIENCE = 20_000; // ms for a page
const WIDE = matchMedia("(min-width: 75.01rem)"); // there it stands where the people do

export class Collection {
  #turn = 0; // counts the times it was opened
  #ids = new Set(); // of the messages that are known to have files
  #items = new Map(); // id of a file -> what shows it
  #before = Infinity; // older messages are not loaded
  #more = true; // there are some
  #busy = false;
  #failed = false;
  #wanted = "pictures"; // or "files": the tab in hand

  /** `pages` is the address of history; `open(link)` shows a picture large. */
  constructor({ timeline, base, pages, say, language, you, open }) {
    Object.assign(this, { model: timeline.model, base, pages, say, language, you });
    const dialog = (this.dialog = makeDialog(say));
    document.body.append(dialog);
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
    this.list = dialog.querySelector(".finds");
    this.foot = dialog.querySelector(".foot");
    dialog.querySelector(".tabs").addEventListener("click", ({ target }) => target.value && this.#turnTo(target.value));
    this.foot.addEventListener("click", ({ target }) => target.matches("button") && this.#load());
    dialog.addEventListener("keydown", ({ key }) => key === "Escape" && dialog.close());
    addEventListener("hashchange", () => dialog.matches(":modal") && dialog.close()); // to a message behind it
    WIDE.addEventListener("change", () => dialog.close());
    wireOpening(this.list, open);
    // The last entry: when frames are late, one call brings what was true before as well.
    const near = (edges) => edges.at(-1).isIntersecting && !this.#failed && this.#load();
    this.near = new IntersectionObserver(near, { root: dialog, rootMargin: "100% 0px" });
  }

  /** The pictures that are loaded, oldest first. */
  get pictures() {
    return picturesOf(this.#messages.reverse());
  }

  /** Opens it anew, or closes it. */
  open(button) {
    if (this.dialog.open) return this.dialog.close();
    this.#turn += 1;
    this.#ids.clear();
    this.#items.clear();
    [this.#before, this.#more, this.#busy] = [Infinity, true, false];
    this.#draw();
    openDialog(this.dialog, button, !WIDE.matches);
    this.#load();
  }

  /** Messages that are others now, and that are no more. */
  heard(changed, gone) {
    if (!this.dialog.open) return;
    const news = changed.filter((id) => this.model.message(id)?.files);
    for (const id of news) this.#ids.add(id);
    if (news.length > 0 || gone.some((id) => this.#ids.has(id))) this.#draw();
  }

  /** Newest first, as they are by now. */
  get #messages() {
    const ids = [...this.#ids].sort((one, other) => other - one);
    return ids.map((id) => this.model.message(id)).filter((message) => message?.files);
  }

  #turnTo(tab) {
    this.#wanted = tab;
    this.#draw();
    this.dialog.scrollTop = 0;
  }

  async #load() {
    if (this.#busy || !this.#more) return;
    const turn = this.#turn;
    this.#busy = true;
    const ticket = this.model.ask({ ids: true }); // what is loaded of the list is another matter
    const page = await this.#fetch().catch(() => null);
    const living = page ? this.model.living(ticket, page) : [];
    const known = this.model.merge(ticket, page);
    if (turn !== this.#turn) return; // opened anew
    this.#busy = false;
    this.#failed = !known;
    if (known) this.#add(page, living);
    this.#draw();
  }

  async #fetch() {
    const query = new URLSearchParams({ files: "", limit: PAGE });
    if (this.#before < Infinity) query.set("before", this.#before);
    const headers = { Accept: "application/json" };
    const answer = await fetch(`${this.pages}?${query}`, { headers, signal: AbortSignal.timeout(PATIENCE) });
    if (!answer.ok) throw new Error(answer.statusText);
    return decodePage(await answer.text());
  }

  #add({ changes, more }, living) {
    const ids = changes.flatMap(([name, { id }]) => (name === "message" ? id : []));
    this.#before = Math.min(this.#before, ...ids);
    this.#more = more;
    for (const { id } of living) this.#ids.add(id);
  }

  #draw() {
    const pictures = this.#wanted === "pictures";
    for (const tab of this.dialog.querySelectorAll(".tabs button")) tab.ariaPressed = String(tab.value === this.#wanted);
    const months = new Map();
    for (const message of this.#messages) {
      const items = message.files.filter((file) => isPicture(file) === pictures).map((file) => this.#item(message, file));
      if (items.length === 0) continue;
      const name = this.#month(message.at);
      months.set(name, [...(months.get(name) ?? []), ...items]);
    }
    const parts = [...months].flatMap(([name, items]) => {
      const list = element("ul", ...items);
      list.className = pictures ? "tiles" : "chips-of";
      return [element("h3", name), list];
    });
    const held = document.activeElement;
    this.list.replaceChildren(...parts);
    if (held !== document.activeElement) (held.isConnected ? held : this.dialog.querySelector(".tabs button")).focus({ preventScroll: true });
    this.#end(months.size === 0);
  }

  #item(message, file) {
    const known = this.#items.get(file.id);
    if (known) return known;
    const { base, say } = this;
    const item = element("li", isPicture(file) ? pictureOf(file, base) : chipOf(file, base, say));
    if (!isPicture(file)) item.append(this.#origin(message));
    this.#items.set(file.id, item);
    return item;
  }

  /** Who sent it and when: the way to the message. */
  #origin({ id, user, name, at }) {
    const who = element("bdi", user === this.you.user ? this.say("you") : name);
    const origin = element("a", who, `, ${whenOf(at, this.language)}`);
    return Object.assign(origin, { className: "from", href: `#m${id}` });
  }

  #month(at) {
    return new Intl.DateTimeFormat(this.language, { month: "long", year: "numeric" }).format(at);
  }

  /** What stands below the last one: nothing, that there is none, or a way to more. */
  #end(none) {
    const { foot, say } = this;
    const words = this.#failed ? "log.failed" : this.#more ? "collection.loading" : none && `collection.none.${this.#wanted}`;
    const line = words && element(this.#failed ? "button" : "p", say(words));
    if (this.#failed) Object.assign(line, { className: "lk", type: "button" });
    foot.replaceChildren(...(line ? [line] : []));
    this.near.unobserve(foot); // seen anew, it says again whether it is near
    if (this.#more && !this.#busy) this.near.observe(foot);
  }
}

function makeDialog(say) {
  const title = part("h2", "", { id: "files-title" }, say("collection.title"));
  const bar = part("div", "bar", {}, title, signButton("close", "close", say("dialog.close")));
  const tab = (value) => part("button", "btn s quiet", { type: "button", value }, say(`collection.${value}`));
  const tabs = part("div", "tabs", { role: "group" }, tab("pictures"), tab("files"));
  tabs.firstChild.autofocus = true;
  const whole = part("div", "whole", {}, bar, tabs, part("div", "finds"), part("div", "foot", { role: "status" }));
  const dialog = part("dialog", "collection", {}, whole);
  for (const named of [dialog, tabs]) named.setAttribute("aria-labelledby", title.id);
  return dialog;
}
