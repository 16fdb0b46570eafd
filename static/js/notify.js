// Owns what disturbs a person who looks elsewhere: notifications of this device, and the sound. Only of
// what is new and meant to reach them; whether it is, they have set. Knows no list and no line.

import { wordsOf } from "./attachments.js";
import { isQuiet, levelOf, mutedUntil } from "./levels.js";
import { format } from "./text.js";

const LONGEST = 120; // characters of a text
const SILENCE = 10_000; // ms from one sound to the next, in whatever tab
const PACE = 1_000; // ms from one notification of a room to the next
const OFF = "notify:off"; // kept in this browser: it is asked by the device, not by the person
const LONGEST_TIMER = 2 ** 31 - 1; // ms

export class Notify {
  #shown = new Map(); // room -> {note, id}: its notification, up to which message
  #counts = new Map(); // room -> {unread, mentioned} as last told
  #next = new Map(); // room -> what is told of it when a second is over, or null
  #broken = false; // the browser has the name and not the thing, as on Android
  #listeners = [];
  #timer = 0;

  /** `tabs` knows which tab speaks; `goTo(room, id)` is what a press on a notification does. */
  constructor({ you, room, title, rooms = [], say, kept, storage, tabs, goTo, play }) {
    Object.assign(this, { you, room, title, say, kept, storage, tabs, goTo, play });
    this.rooms({ whole: true, rooms });
    kept.on((keys) => keys.some((key) => /^(mute:|level:|notify$)/.test(key)) && this.#changed());
    addEventListener("pagehide", () => this.#shown.forEach(({ note }) => note.close())); // a press would lead nowhere
    navigator.permissions?.query({ name: "notifications" }).then(
      (permission) => (permission.onchange = () => this.#changed()),
      () => {}, // not every browser tells
    );
    this.#changed();
  }

  /** Of this device: "insecure", "unsupported", "blocked", "off" or "on". */
  get state() {
    if (!isSecureContext) return "insecure";
    if (this.#broken || !("Notification" in globalThis)) return "unsupported";
    if (Notification.permission === "denied") return "blocked";
    return Notification.permission === "granted" && !this.storage.text(OFF) ? "on" : "off";
  }

  /** Until when a room is muted: 0 if it is not, Infinity for good. */
  muted(room) {
    return mutedUntil(this.kept, room, Date.now());
  }

  /** `listener()` hears when a level, a mute or the state of this device may be another. */
  on(listener) {
    this.#listeners.push(listener);
  }

  /** Asks for what the browser wants to be asked for; only ever within a press. */
  async ask() {
    if (this.state !== "off" || Notification.permission !== "default") return;
    try {
      new Notification("").close(); // not allowed yet, so it shows nothing; where there are none it throws
      await Notification.requestPermission();
    } catch {
      this.#broken = true;
    }
    this.#changed();
  }

  /** On or off on this device; on is a press too. */
  async turn(on) {
    if (on) this.storage.remove(OFF);
    else this.storage.keep(OFF, "1");
    if (on) await this.ask();
    this.#changed();
  }

  /** Is a message meant for this person, by their name or as an answer? */
  isMeant({ mentions = {} }) {
    return Object.hasOwn(mentions, this.you.user);
  }

  /** A message of somebody else that came live into this room and is not read. */
  message(message) {
    const meant = this.isMeant(message);
    if (!this.#wants(this.room, meant)) return;
    const { id, name } = message;
    const title = this.say("notify.title", { name, room: this.title });
    this.#tell(this.room, { title, body: brief(wordsOf(message, this.say), this.say), id, meant });
  }

  /** How much is new in each room; of those that no tab shows it is all one knows. */
  rooms({ whole = false, rooms }) {
    for (const { room, title, unread, mentioned } of rooms) {
      const before = this.#counts.get(room) ?? { unread: 0, mentioned: 0 };
      this.#counts.set(room, { unread, mentioned });
      if (unread === 0) this.#drop(() => true, room);
      if (whole || room === this.room) continue; // what one comes back to is no news
      if (mentioned > before.mentioned && this.#wants(room, true)) {
        this.#tell(room, { title: `#${title}`, body: this.say("notify.mentioned"), meant: true });
      } else if (unread > before.unread && this.#wants(room, false)) {
        this.#tell(room, { title: `#${title}`, body: this.say("notify.new", { n: unread }) });
      }
    }
  }

  /** This room was read up to a message, on whatever device. */
  read(upTo) {
    this.#drop((id) => id <= upTo);
  }

  /** Messages of this room that are no more: what one of them said is not left on the screen. */
  gone(ids) {
    this.#drop((id) => ids.includes(id));
  }

  #drop(over, room = this.room) {
    if (over(this.#shown.get(room)?.id)) this.#close(room);
    if (this.#next.has(room) && over(this.#next.get(room)?.id)) this.#next.set(room, null);
  }

  #wants(room, meant) {
    const level = levelOf(this.kept, room);
    if (level === "none" || (level === "mentions" && !meant)) return false;
    return !this.muted(room) && !isQuiet(this.kept, Date.now());
  }

  /** At once; of what comes thick after it, the newest once a second, and first what is meant for them. */
  #tell(room, news) {
    if (this.#next.has(room)) {
      if (news.meant || !this.#next.get(room)?.meant) this.#next.set(room, news);
      return;
    }
    this.#next.set(room, null);
    setTimeout(() => {
      const next = this.#next.get(room);
      this.#next.delete(room);
      if (next) this.#tell(room, next);
    }, PACE);
    this.#disturb(room, news);
  }

  async #disturb(room, news) {
    if (!(await this.tabs.speaksOf(room))) return;
    if (this.kept.get("sound") === "on") this.#sound();
    if (this.state === "on") this.#show(room, news);
  }

  #show(room, { title, body, id }) {
    try {
      const note = new Notification(title, { body, tag: room, renotify: true, silent: true });
      note.onclick = () => (note.close(), this.goTo(room, id));
      this.#shown.set(room, { note, id });
    } catch {
      this.#broken = true;
      this.#changed();
    }
  }

  #close(room) {
    this.#shown.get(room)?.note.close();
    this.#shown.delete(room);
  }

  #sound() {
    const now = Date.now();
    const since = now - this.storage.read("sounded", 0);
    if (since >= 0 && since < SILENCE) return;
    this.storage.write("sounded", now);
    this.play();
  }

  /** Tells who shows it, now and when the next mute is over. */
  #changed() {
    clearTimeout(this.#timer);
    const now = Date.now();
    const ends = [this.room, ...this.#counts.keys()].map((room) => this.muted(room)).filter((end) => end > now);
    const wait = Math.min(...ends) - now;
    if (wait < LONGEST_TIMER) this.#timer = setTimeout(() => this.#changed(), wait);
    for (const listener of this.#listeners) listener();
  }
}

/** A text in one line, as it reads, without its marks. */
function brief(text, say) {
  const made = format(text, say);
  made.querySelectorAll("button").forEach((button) => button.remove());
  made.querySelectorAll("p, pre, blockquote, br").forEach((block) => block.after(" "));
  const characters = [...made.textContent.replace(/\s+/gu, " ").trim()];
  return characters.length > LONGEST ? `${characters.slice(0, LONGEST - 1).join("")}…` : characters.join("");
}
