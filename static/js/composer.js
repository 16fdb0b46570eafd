// Owns writing and what becomes of it: the message box with its draft and its limit, what the Enter
// key means, the strip that says whether messages go out, and the list of rooms, which says where
// drafts wait. Knows no messages and no socket.

import { clone, element } from "./format.js";

const SAVE_AFTER = 300; // ms of quiet
const TYPING_EVERY = 3_000; // ms
const WARN_FROM = 0.9; // of the limit
const BLIP = 2_500; // ms a lost line stays unmentioned
const UNPLUGGED = 500; // ms, when the machine itself says it has no network
const BACK = 1_500; // ms "Back online" is shown
const FINE = matchMedia("(pointer: fine)");
const GROWS = CSS.supports("field-sizing", "content");

/** Does this key event say "send"? Never while an input method composes (Safari says only 229). */
export function meansSend(event) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return FINE.matches && !event.shiftKey && !event.altKey;
}

/** Lets a textarea grow with its text where CSS cannot. */
export function grow(area) {
  if (GROWS) return;
  area.style.blockSize = "auto";
  area.style.blockSize = `${area.scrollHeight}px`;
}

export class Composer {
  #typed = 0;
  #saving = 0;

  /** `send(text)` returns whether the text was taken; `typing()` is called while it changes. */
  constructor({ form, limit, say, storage, key, send, typing, editLast, drafted }) {
    Object.assign(this, { form, limit, say, storage, key, send, typing, editLast, drafted });
    this.area = form.querySelector("textarea");
    this.button = form.querySelector(".send");
    this.count = form.querySelector(".count");
    form.noValidate = true; // blank never sends; no bubble has to say so
    this.area.enterKeyHint = FINE.matches ? "send" : "enter";
    // What was typed before this module came has precedence over the draft.
    if (this.area.value === "") this.area.value = storage.getItem(key) ?? "";
    this.#listen();
    this.#measure();
  }

  get text() {
    return this.area.value;
  }

  focus() {
    this.area.focus();
  }

  clear() {
    this.area.value = "";
    this.#measure();
    this.#save();
  }

  /** Puts a text back, above what is there. */
  restore(text) {
    this.area.value = [text, this.text].filter(Boolean).join("\n");
    this.#changed();
    this.focus();
  }

  #listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.area.addEventListener("keydown", (event) => this.#key(event));
    this.area.addEventListener("input", () => {
      this.#changed();
      this.#tellTyping();
    });
    // The press must not take the focus: a phone would fold its keyboard away.
    this.button.addEventListener("pointerdown", (event) => event.preventDefault());
    addEventListener("pagehide", () => this.#save());
  }

  #key(event) {
    if (meansSend(event)) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === "ArrowUp" && this.text === "" && !event.isComposing) {
      if (this.editLast()) event.preventDefault();
    }
  }

  #submit() {
    if (this.text.trim() === "" || this.#left() < 0) return;
    if (!this.send(this.text)) {
      this.#show(this.say("composer.full"), true);
      return;
    }
    this.clear();
  }

  #changed() {
    this.#measure();
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.#save(), SAVE_AFTER);
  }

  #save() {
    clearTimeout(this.#saving);
    try {
      if (this.text === "") this.storage.removeItem(this.key);
      else this.storage.setItem(this.key, this.text);
    } catch {
      return; // a full disk: the text is still in the box
    }
    this.drafted(this.text !== "");
  }

  #tellTyping() {
    if (this.text === "" || Date.now() - this.#typed < TYPING_EVERY) return;
    this.#typed = Date.now();
    this.typing();
  }

  // Characters are Unicode code points, as the server counts them.
  #left() {
    const { length } = this.text;
    return this.limit - (length < this.limit * WARN_FROM ? length : [...this.text].length);
  }

  #measure() {
    grow(this.area);
    const left = this.#left();
    const over = left < 0;
    if (left > this.limit * (1 - WARN_FROM)) this.#show("");
    else if (over) this.#show(this.say("composer.over", { n: left }), true);
    else this.#show(this.say("composer.left", { n: left }));
    this.button.ariaDisabled = over ? "true" : null;
    if (over) this.button.setAttribute("aria-describedby", this.count.id);
    else this.button.removeAttribute("aria-describedby");
  }

  #show(text, over = false) {
    this.count.textContent = text;
    this.count.hidden = text === "";
    this.count.classList.toggle("over", over);
  }
}

/** One line under the header: trouble once it lasts, good news for a moment, or what still stands. */
export class Strip {
  #timer = 0;
  #since = 0; // when the trouble began
  #busy = false; // with something that must not be talked over

  /** `standing()` is what to say, if anything, while all is well. */
  constructor(say, hold, standing) {
    Object.assign(this, { say, hold, standing, place: document.querySelector(".conn") });
  }

  /** Said only once the trouble has lasted: blips are nobody's business. */
  trouble(notice) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#since ||= Date.now();
    const patience = navigator.onLine ? BLIP : UNPLUGGED;
    this.#timer = setTimeout(() => this.#put(notice), this.#since + patience - Date.now());
  }

  over() {
    clearTimeout(this.#timer);
    this.#busy = false;
    this.#since = 0;
    if (this.place.querySelector(".trouble")) this.brief({ key: "conn.back", kind: "good" }, BACK);
    else this.refresh();
  }

  brief(notice, time) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#put(notice);
    this.#timer = setTimeout(() => {
      this.#busy = false;
      this.refresh();
    }, time);
  }

  refresh() {
    if (!this.#busy) this.#put(this.standing());
  }

  #put(notice) {
    const text = notice ? this.say(notice.key, notice.values) : "";
    if (this.place.querySelector("span")?.textContent === text || (!notice && !this.place.firstChild)) return;
    this.hold(() => this.place.replaceChildren(...(notice ? [this.#make(notice, text)] : [])));
  }

  #make({ kind = "trouble", button, action }, text) {
    const strip = clone("strip");
    strip.classList.add(kind);
    strip.querySelector("span").textContent = text;
    const pressed = strip.querySelector("button");
    pressed.hidden = !button;
    if (button) pressed.textContent = this.say(button);
    pressed.addEventListener("click", () => action());
    return strip;
  }
}

/** The rooms this browser has been in, in the order of the first visit, with their drafts. */
export class Rooms {
  constructor({ room, base, say, storage, key, draftKey }) {
    Object.assign(this, { room, base, say, storage, draftKey, list: document.querySelector(".rooms") });
    const visited = JSON.parse(storage.getItem(key) ?? "[]");
    if (!visited.includes(room)) storage.setItem(key, JSON.stringify([...visited, room]));
    this.house = this.list.firstElementChild.querySelector(".rn").textContent;
    const others = [...visited, room].filter((name) => name !== this.house);
    const rows = [...new Set(others)].map((name) => this.#row(name));
    this.list.replaceChildren(this.list.firstElementChild, ...rows);
    this.mark();
  }

  #row(name) {
    const row = clone("room");
    const link = row.firstElementChild;
    link.href = `${this.base}r/${encodeURIComponent(name)}`;
    if (name === this.room) link.setAttribute("aria-current", "page");
    link.querySelector(".rn").textContent = name;
    return row;
  }

  mark() {
    for (const link of this.list.querySelectorAll("a")) {
      const drafted = this.storage.getItem(this.draftKey(link.querySelector(".rn").textContent)) !== null;
      const old = link.querySelector(".mark");
      if (!drafted) old?.remove();
      else if (!old) {
        const mark = element("span", this.say("rooms.draft"));
        mark.className = "mark";
        link.append(mark);
      }
    }
  }
}
