// Owns what was read, and because of it the title, the icon, the pill and the "New" divider.

const TELL_AFTER = 300; // ms in which what was read is gathered
const attentive = () => document.visibilityState === "visible" && document.hasFocus();

/** What was read: visible, focused, at the end, painted. Keeps the title, the pill, the divider. */
export class Reading {
  #away = false;
  #counted = -1; // unseen messages that title, icon and pill speak of
  #telling = 0;
  #icon = document.querySelector("link[rel=icon]");
  #plain = { title: document.title, icon: this.#icon.href };

  constructor({ timeline, say, storage, key, unreadIcon, tell }) {
    Object.assign(this, { timeline, say, storage, key, unreadIcon, tell });
    this.pill = document.querySelector(".latest");
    this.read = storage.read(key, 0) || timeline.newest;
    storage.write(key, this.read);
    this.pill.addEventListener("click", () => timeline.scroll.toEnd());
    this.#away = !attentive();
  }

  /** Something arrived, was scrolled to, or the person came back. */
  update() {
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

  divide() {
    this.timeline.divide(this.read);
  }

  /** The messages are others now (a backup came back): begin with what there is. */
  restart() {
    this.read = this.timeline.newest;
    this.storage.write(this.key, this.read);
    this.update();
  }

  /** Another tab has read up to `id`. */
  upTo(id) {
    this.read = Math.max(this.read, id);
    this.#count();
  }

  #mark() {
    const { newest, scroll } = this.timeline;
    if (newest > this.read && attentive() && scroll.stuck) {
      this.read = newest;
      this.storage.write(this.key, newest);
      this.#telling ||= setTimeout(() => this.#tell(), TELL_AFTER);
    }
    this.#count();
  }

  #tell() {
    this.#telling = 0;
    this.tell(this.read);
  }

  #count() {
    const { length } = this.timeline.unseen(this.read);
    this.pill.hidden = length === 0 || this.timeline.scroll.stuck;
    if (length === this.#counted) return;
    this.#counted = length;
    const shown = length > 99 ? "99+" : length;
    const { title, icon } = this.#plain;
    document.title = length ? this.say("badge.title", { count: shown, title }) : title;
    this.#icon.href = length ? this.unreadIcon : icon;
    if (length) navigator.setAppBadge?.(length);
    else navigator.clearAppBadge?.();
    const words = this.say("log.pill", { n: length });
    this.pill.querySelector("span").textContent = length > 99 ? words.replace(length, shown) : words;
  }
}
