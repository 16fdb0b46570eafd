// Owns what was read and what was not, and because of it the title, the icon, the pill and the "New"
// divider. Counts ids, not rows: most of what is unread may not be loaded.

import { element } from "./dom.js";

const TELL_AFTER = 300; // ms in which what was read is gathered
const MOST = 99; // unread messages that are counted
const TINTED = 1_200; // ms a message that was looked for is tinted
const cameByLink = () => performance.getEntriesByType("navigation")[0]?.type === "navigate";
const attentive = () => document.visibilityState === "visible" && document.hasFocus();

/** What was read: visible, focused, at the end, painted. Keeps the title, the pill, the divider. */
export class Reading {
  #away = false;
  #unread = new Set(); // ids of others' messages after what was read
  #uncounted = false; // there are more of them
  #divided = 0; // the message that "New" belongs before, loaded or not
  #shown = true; // the divider was on the screen
  #counted = null; // what title, icon and pill speak of
  #opened = null; // {row, top}: where the page opened, until all that is unread is known
  #telling = 0;
  #icon = document.querySelector("link[rel=icon]");
  #plain = { title: document.title, icon: this.#icon.href };

  constructor({ timeline, you, say, storage, key, unreadIcon, tell, warn }) {
    Object.assign(this, { timeline, you, say, storage, key, unreadIcon, tell, warn });
    this.pill = document.querySelector(".latest");
    this.read = storage.read(key, 0) || timeline.newest;
    storage.write(key, this.read);
    this.hear(timeline.model.messages);
    this.pill.addEventListener("click", () => this.#press());
    this.#away = !attentive();
  }

  /** Shows where the new part begins, or waits until it is known. */
  begin() {
    const { oldest, history, chunks, scroll } = this.timeline;
    this.#uncounted = !history.start && oldest > this.read + 1;
    if (this.#uncounted) {
      const row = chunks.first;
      scroll.readFrom(row);
      this.#opened = { row, top: row.getBoundingClientRect().top };
    } else {
      this.divide();
    }
    this.update();
  }

  /** The page is left: where one reads is where one comes back to. */
  leave() {
    const { place } = this.timeline.scroll;
    const id = Number(place?.row.dataset.id);
    if (id) this.storage.write(`${this.key}:place`, { id, top: place.top });
    else this.storage.remove(`${this.key}:place`);
  }

  /** Goes on where one was when the room was left, unless there is something newer to read. */
  async goOn() {
    if (this.#uncounted || this.#unread.size > 0 || location.hash || !cameByLink()) return;
    const { id, top } = this.storage.read(`${this.key}:place`, {});
    const { history, scroll } = this.timeline;
    if (!id || !(this.timeline.row(id) || (await history.around(id).catch(() => false)))) return;
    scroll.readFrom(this.timeline.row(id), top);
  }

  /** Shows the message that the address names at a quarter of the height, loaded or not. */
  async follow() {
    const { history, scroll, stop } = this.timeline;
    const id = Number(/^#m(\d+)$/.exec(location.hash)?.[1]);
    if (!id) return;
    const there = this.timeline.row(id) || (await history.around(id).catch(() => null));
    if (there === null) return; // the line is down
    const row = this.timeline.row(id);
    if (!row) return this.warn(this.say("log.nowhere"));
    scroll.readFrom(row);
    stop.set(row);
    row.classList.add("reached");
    setTimeout(() => row.classList.remove("reached"), TINTED);
  }

  /** Counts what is unread and not loaded. To be called when the line is up. */
  async count() {
    if (!this.#uncounted) return;
    const whole = await this.timeline.history.from(this.read).catch(() => false);
    this.#uncounted = !whole;
    if (this.#opened) {
      const { row, top } = this.#opened;
      this.#opened = null;
      this.divide(whole && Math.abs(row.getBoundingClientRect().top - top) < 2);
    }
    this.update();
  }

  /** Messages as they are now, from the line or a page of history. */
  hear(messages) {
    for (const { id, user } of messages) {
      if (id > this.read && user !== this.you.user) this.#unread.add(id);
    }
  }

  /** Messages that are no more, by id. */
  gone(ids) {
    for (const id of ids) this.#unread.delete(id);
    if (this.#divided && !this.#unread.has(this.#divided) && this.#divided > this.read) this.#aim();
  }

  /** There may be more than is loaded. */
  missed() {
    this.#uncounted = true;
  }

  /** Something arrived, was scrolled to, or the person came back. */
  update() {
    if (this.#divided && !this.#placed) this.#place();
    // What is read in the next frame is not counted before: title and icon would flash.
    if (attentive() && this.timeline.scroll.stuck) requestAnimationFrame(() => this.#mark());
    else this.#count();
  }

  /** The page is looked at again, or for the first time: shows where the new part begins. */
  returned() {
    if (!attentive()) return (this.#away = true), this.update();
    if (this.#away) this.divide();
    this.#away = false;
    this.update();
  }

  /** Puts "New" before the first unread message, and goes there if it is above what is shown. */
  divide(go = true) {
    this.#aim();
    this.#shown = false;
    this.#place();
    if (go) this.#goToDivider();
  }

  /** What was new is old now: the person answers. */
  undivide() {
    this.#divided = 0;
    this.#place();
  }

  /** The messages are others now (a backup came back): begin with what there is. */
  restart() {
    this.#unread.clear();
    this.#readTo(this.timeline.newest);
    this.undivide();
    this.update();
  }

  /** Another tab has read up to `id`. */
  upTo(id) {
    this.#readTo(Math.max(this.read, id));
    this.#count();
  }

  #readTo(id) {
    this.read = id;
    this.storage.write(this.key, id);
    for (const unread of this.#unread) if (unread <= id) this.#unread.delete(unread);
    if (id >= this.timeline.newest) this.#uncounted = false;
  }

  get #placed() {
    return document.getElementById("unread");
  }

  #aim() {
    this.#divided = Math.min(...this.#unread, Infinity);
    if (this.#divided === Infinity) this.#divided = 0;
  }

  /** Puts "New" where it belongs, if that is loaded, and nowhere else. */
  #place() {
    const { timeline } = this;
    const row = timeline.row(this.#divided);
    const old = this.#placed;
    if (old ? old.nextElementSibling === row : !row) return;
    timeline.scroll.hold(() => {
      const after = old?.nextElementSibling;
      old?.remove();
      timeline.regroup(after);
      row?.before(this.#divider());
      timeline.regroup(row);
    });
  }

  #divider() {
    const divider = element("div", element("span", this.say("log.new")));
    Object.assign(divider, { id: "unread", className: "unread", role: "separator" });
    divider.setAttribute("aria-label", this.say("log.new_label"));
    return divider;
  }

  /** Shows the divider if it is there and above what is shown. */
  #goToDivider() {
    const divider = this.#placed;
    if (!divider) return;
    this.#shown = true;
    if (this.timeline.scroll.isAbove(divider)) this.timeline.scroll.readFrom(divider);
  }

  /** To where the new part begins; from there to the end. */
  async #press() {
    if (this.#shown || !this.#divided || this.#unread.size === 0) return this.timeline.toEnd();
    if (!this.#placed) await this.timeline.history.around(this.#divided).catch(() => false);
    this.#place();
    if (this.#placed) this.#goToDivider();
    else this.timeline.toEnd();
  }

  #mark() {
    const { newest, scroll } = this.timeline;
    if (newest > this.read && attentive() && scroll.stuck) {
      this.#readTo(newest);
      this.#telling ||= setTimeout(() => this.#tell(), TELL_AFTER);
    }
    this.#count();
  }

  #tell() {
    this.#telling = 0;
    this.tell(this.read);
  }

  #count() {
    const { stuck, far, open } = this.timeline.scroll;
    const { size } = this.#unread;
    const shown = size > MOST || (size > 0 && this.#uncounted) ? `${MOST}+` : String(size || "");
    this.pill.hidden = stuck || !(shown || far || open);
    if (shown === this.#counted) return;
    this.#counted = shown;
    const { title, icon } = this.#plain;
    document.title = shown ? this.say("badge.title", { count: shown, title }) : title;
    this.#icon.href = shown ? this.unreadIcon : icon;
    if (shown) navigator.setAppBadge?.(size);
    else navigator.clearAppBadge?.();
    const words = shown ? this.say("log.pill", { n: size }) : this.say("log.back");
    this.pill.querySelector("span").textContent = words.replace(size, shown);
    this.pill.classList.toggle("plain", !shown);
  }
}
