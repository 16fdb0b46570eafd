// Owns writing: the message box with its draft and its limit, what the Enter key means, the line
// that says who is typing, and the box an edit is made in. Knows no list and no socket.

import { clone } from "./format.js";

const SAVE_AFTER = 300; // ms of quiet
const TYPING_EVERY = 3_000; // ms
const TYPING = 5_000; // ms until it is forgotten
const WARN_FROM = 0.9; // of the limit
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

/** The box in which a message is edited in place. `save(text)`, or `cancel()` on Escape. */
export function openEditor({ text, limit, say, save, cancel }) {
  const editor = clone("editor");
  const area = editor.querySelector("textarea");
  area.value = text;
  area.addEventListener("input", () => {
    area.setCustomValidity("");
    grow(area);
  });
  area.addEventListener("keydown", (event) => {
    if (meansSend(event)) editor.requestSubmit();
    else if (event.key === "Escape" && !event.isComposing) cancel();
    else return;
    event.preventDefault();
  });
  editor.addEventListener("submit", (event) => {
    event.preventDefault();
    const left = limit - [...area.value].length;
    area.setCustomValidity(left < 0 ? say("composer.over", { n: left }) : "");
    if (area.reportValidity() && area.value.trim() !== "") save(area.value);
  });
  editor.noValidate = true;
  return editor;
}

/** Who is typing: one line, forgotten after a while, gone at once when the message lands. */
export class Typing {
  #until = new Map(); // user -> {name, timer}

  constructor(say, language) {
    Object.assign(this, { say, place: document.querySelector(".typing") });
    this.list = new Intl.ListFormat(language);
  }

  heard({ user, name }) {
    clearTimeout(this.#until.get(user)?.timer);
    this.#until.set(user, { name, timer: setTimeout(() => this.stopped(user), TYPING) });
    this.#show();
  }

  stopped(user) {
    clearTimeout(this.#until.get(user)?.timer);
    if (this.#until.delete(user)) this.#show();
  }

  #show() {
    const names = [...this.#until.values()].map(({ name }) => name);
    if (names.length === 0) return this.place.replaceChildren();
    const words =
      names.length > 3
        ? this.say("typing.several")
        : this.say("typing", { n: names.length, names: this.list.format(names) });
    if (this.place.childElementCount === 0) this.place.append(clone("dots"), document.createElement("span"));
    this.place.lastElementChild.textContent = words;
  }
}
