// Owns what was read and what was not in this room, and because of it the "New" divider. Counts ids, not
// rows: most of what is unread may not be loaded. The mark is the server's, also across devices.

import { element } from "./dom.js";

const TELL_AFTER = 300; // ms in which what was read is gathered
const SURE = 15_000; // ms after which what was told has arrived
const attentive = () => document.visibilityState === "visible" && document.hasFocus();

/** What was read: visible, focused, at the end, painted. */
export class Reading {
  counted = () => {}; // called when `counts` may be others
  told = {}; // {unread, mentioned} of this room by the server, for what is not loaded
  held = false; // what is at the end is not read before that was left and come to anew
  greeted = true; // false from a `welcome` until the mark that comes after it
  #away = false;
  #unread = new Map(); // ids of others' messages after what was read -> whether they are meant for me
  #uncounted = false; // there are more of them
  #divided = 0; // the message that "New" belongs before, loaded or not
  #shown = true; // the divider was on the screen
  #opened = null; // {row, top}: where the page opened, until all that is unread is known
  #untold = null; // {id, back?, sent?}: a mark that the server may not know
  #telling = 0;

  constructor({ timeline, you, say, storage, key, read, tell }) {
    const { id, back, epoch } = storage.read(key, {});
    const untold = epoch === timeline.model.epoch && (back || id > read);
    Object.assign(this, { timeline, you, say, storage, key, tell, read: untold ? id : read });
    if (untold) this.#untold = { id, back };
    this.hear(timeline.model.messages);
    this.#away = !attentive();
  }

  /** {unread, mentioned}; by the server's count where not all is loaded. */
  get counts() {
    const { unread = 0, mentioned = 0 } = this.#uncounted ? this.told : {};
    const meant = [...this.#unread.values()].filter(Boolean).length;
    return { unread: Math.max(this.#unread.size, unread), mentioned: Math.max(meant, mentioned) };
  }

  /** Shows where the new part begins, or waits until it is known. */
  begin() {
    this.#uncounted = this.#more;
    if (this.#uncounted) {
      const row = this.timeline.chunks.first;
      this.timeline.scroll.readFrom(row);
      this.#opened = { row, top: row.getBoundingClientRect().top };
    } else {
      this.divide();
    }
    this.update();
  }

  leave() {
    if (this.#telling) this.#tell(); // there is no time to gather
  }

  /** The line is up: tells what was read, counts what is not loaded, if only because it was `missed`. */
  async count(missed = false) {
    if (this.#unsure && !this.#telling) this.#tell();
    this.#uncounted ||= missed;
    if (!this.#uncounted) return;
    const { history } = this.timeline;
    const whole = await history.from(this.read).catch(() => false);
    this.#uncounted = !(whole && history.present);
    if (this.#opened) {
      const { row, top } = this.#opened;
      this.#opened = null;
      this.divide(whole && Math.abs(row.getBoundingClientRect().top - top) < 2);
    }
    this.update();
  }

  /** Messages as they are now, from the line or a page of history. */
  hear(messages) {
    const me = this.you.user;
    for (const { id, user, mentions } of messages) {
      if (id > this.read && user !== me) this.#unread.set(id, Object.hasOwn(mentions ?? {}, me));
    }
  }

  /** Messages that are no more, by id. */
  gone(ids) {
    for (const id of ids) this.#unread.delete(id);
    if (this.#divided && !this.#unread.has(this.#divided) && this.#divided > this.read) this.#aim();
  }

  /** Something arrived, was scrolled to, or the person came back. */
  update() {
    const { stuck } = this.timeline.scroll;
    if (!stuck) this.held = false;
    if (this.#divided && !this.#placed) this.#place();
    // What is read in the next frame is not counted before: title and icon would flash.
    if (attentive() && stuck && !this.held) requestAnimationFrame(() => this.#mark());
    else this.counted();
  }

  /** The page is looked at again, or for the first time: shows where the new part begins. */
  returned() {
    if (!attentive()) return (this.#away = true), this.update();
    if (this.#away) this.divide();
    this.#away = this.held = false;
    this.update();
  }

  /** Puts "New" before the first unread message, and goes there if it is above what is shown. */
  divide(go = true) {
    this.#aim();
    this.#place();
    this.#shown = false;
    if (go) this.#goToDivider();
  }

  /** What was new is old now: the person answers. */
  undivide() {
    this.held = false;
    this.#divided = 0;
    this.#place();
  }

  /** The messages are others now (a backup came back): what was read of them is yet to be told. */
  restart() {
    this.#unread.clear();
    this.#forget();
    this.read = Infinity;
    this.undivide();
  }

  /** How far this person has read, says the server; `back`: by wish less far. One that is behind is
   *  old news otherwise, unless it is the first on a line. */
  marked({ id, back }) {
    const exact = back || !(this.greeted || this.#unsure);
    this.greeted = true;
    if (id < this.read) return exact && this.#goBack(id);
    this.#readTo(id);
    this.counted();
  }

  /** "Mark as unread from here": a message and what follows it. */
  unreadFrom(id) {
    this.#goBack(id - 1);
    this.#note(id - 1, true);
    this.#tell();
  }

  #goBack(id) {
    this.#forget();
    this.#readTo(id);
    this.held = this.timeline.scroll.stuck && this.#unread.size > 0;
    this.divide(false);
    this.count();
    this.counted();
  }

  #readTo(id) {
    const { newest, model } = this.timeline;
    const back = id < this.read;
    this.read = id;
    if (back) this.hear(model.messages);
    for (const unread of this.#unread.keys()) if (unread <= id) this.#unread.delete(unread);
    if (id >= newest) this.#uncounted = false;
    else this.#uncounted ||= this.#more;
  }

  /** Is anything that is unread not loaded? */
  get #more() {
    const { oldest, history } = this.timeline;
    return !history.present || (!history.start && oldest > this.read + 1);
  }

  get #unsure() {
    return this.#untold && !(this.#untold.sent < Date.now() - SURE);
  }

  get #placed() {
    return document.getElementById("unread");
  }

  #aim() {
    this.#divided = this.#unread.size && Math.min(...this.#unread.keys());
  }

  /** Puts "New" where it belongs, if that is loaded, and nowhere else. */
  #place() {
    const { timeline } = this;
    const [row, old] = [timeline.row(this.#divided), this.#placed];
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
    const ariaLabel = this.say("log.new_label");
    return Object.assign(divider, { id: "unread", className: "unread", role: "separator", ariaLabel });
  }

  /** Shows the divider if it is there and above what is shown. */
  #goToDivider() {
    const { scroll } = this.timeline;
    this.#shown = Boolean(this.#placed);
    if (this.#shown && scroll.isAbove(this.#placed)) scroll.readFrom(this.#placed);
  }

  /** To where the new part begins; from there to the end. */
  async go() {
    if (this.#shown || !this.#divided || this.#unread.size === 0) return this.timeline.toEnd();
    if (!this.#placed) await this.timeline.history.around(this.#divided).catch(() => false);
    this.#place();
    if (this.#placed) this.#goToDivider();
    else this.timeline.toEnd();
  }

  #mark() {
    const { newest, scroll } = this.timeline;
    if (newest > this.read && attentive() && scroll.stuck && !this.held) {
      this.#readTo(newest);
      this.#note(newest);
      this.#telling ||= setTimeout(() => this.#tell(), TELL_AFTER);
    }
    this.counted();
  }

  /** A mark that is to be told; on disk until it was: there may be no line before the page goes. */
  #note(id, back) {
    this.#untold = { id, back };
    this.storage.write(this.key, { id, back, epoch: this.timeline.model.epoch });
  }

  #tell() {
    this.#telling = clearTimeout(this.#telling);
    const { id, back } = this.#untold;
    if (!this.tell({ id, back })) return;
    this.#untold.sent = Date.now();
    this.storage.remove(this.key);
  }

  #forget() {
    this.#telling = clearTimeout(this.#telling);
    this.#untold = null;
    this.storage.remove(this.key);
  }
}
