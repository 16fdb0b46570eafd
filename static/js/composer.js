// Owns the message box with its draft and its limit, and what the Enter key means. Knows no messages
// and no socket.

const SAVE_AFTER = 300; // ms of quiet
const WARN_FROM = 0.9; // of the limit
const FINE = matchMedia("(pointer: fine)");
const { dataset } = document.documentElement; // `enter`: what the person wants of that key
const GROWS = CSS.supports("field-sizing", "content");

/** Does this key event say "send"? Never while an input method composes (Safari says only 229). */
export function meansSend(event) {
  if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return false;
  if (event.ctrlKey || event.metaKey) return true;
  return enterSends() && !event.shiftKey && !event.altKey;
}

/** Does the bare key? Where one types on glass only if the person wants it to. */
export const enterSends = () => (dataset.enter ?? (FINE.matches && "send")) === "send";

/** The key of a phone's keyboard says what it does. */
export function hintEnter(area) {
  area.enterKeyHint = enterSends() ? "send" : "enter";
}

/** Lets a textarea grow with its text where CSS cannot. */
export function grow(area) {
  if (GROWS) return;
  area.style.blockSize = "auto";
  area.style.blockSize = `${area.scrollHeight}px`;
}

/** Two texts in one box, the second below the first, unless its lines are there already. */
const joined = (first, second) =>
  `\n${first}\n`.includes(`\n${second}\n`) ? first : [first, second].filter(Boolean).join("\n");

export class Composer {
  #saving = 0;
  #saved = ""; // what the disk is known to hold

  /** `send(text)` returns whether it was taken, `more()` whether there is more than text. */
  constructor({ form, limit, say, storage, key, send, more, drafted }) {
    Object.assign(this, { form, limit, say, storage, key, send, more, drafted });
    this.area = form.querySelector("textarea");
    this.button = form.querySelector(".send");
    this.count = form.querySelector(".count");
    form.noValidate = true; // no bubble has to say that blank never sends
    hintEnter(this.area);
    this.#saved = storage.text(key) ?? "";
    this.area.value = joined(this.#saved, this.area.value); // something may be typed already
    this.#listen();
    this.measure();
  }

  get text() {
    return this.area.value;
  }

  focus() {
    this.area.focus();
  }

  clear() {
    this.area.value = "";
    this.measure();
    this.#save();
  }

  /** Another tab has saved its draft, or sent it: taken over unless this one holds another text. */
  stored(key, text) {
    if (key !== this.key) return;
    if (this.text === this.#saved) {
      this.#saved = this.area.value = text ?? "";
      this.measure();
    }
    this.drafted();
  }

  /** Puts a text back, above what is there. */
  restore(text) {
    this.area.value = joined(text, this.text);
    this.#changed();
    this.focus();
  }

  #listen() {
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.area.addEventListener("keydown", (event) => {
      if (!meansSend(event)) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.area.addEventListener("focus", () => hintEnter(this.area)); // it may be set anew meanwhile
    this.area.addEventListener("input", () => this.#changed());
    // The press must not take the focus: a phone would fold its keyboard away.
    this.button.addEventListener("pointerdown", (event) => event.preventDefault());
    addEventListener("pagehide", () => this.#save(true));
  }

  #submit() {
    if (this.button.ariaDisabled) return;
    if (this.send(this.text)) this.clear();
    else this.#show(this.say("composer.full"), true);
  }

  #changed() {
    this.measure();
    clearTimeout(this.#saving);
    this.#saving = setTimeout(() => this.#save(), SAVE_AFTER);
  }

  /** Saves what changed here. What another tab has saved meanwhile stays; who leaves adds to it. */
  #save(leaving = false) {
    clearTimeout(this.#saving);
    const { text } = this;
    if (text === this.#saved) return;
    const draft = this.storage.text(this.key) ?? "";
    const others = draft !== this.#saved && draft !== "";
    if (others && (!leaving || text === "")) return;
    this.#saved = others ? joined(draft, text) : text;
    if (this.#saved === "") this.storage.remove(this.key);
    else this.storage.keep(this.key, this.#saved);
    this.drafted();
  }

  // Characters are Unicode code points, as the server counts them.
  #left() {
    const { length } = this.text;
    return this.limit - (length < this.limit * WARN_FROM ? length : [...this.text].length);
  }

  /** Shows what may be sent. */
  measure() {
    grow(this.area);
    const left = this.#left();
    const over = left < 0;
    const { barred } = this.form.dataset; // by what stands there
    if (left > this.limit * (1 - WARN_FROM)) this.#show("");
    else if (over) this.#show(this.say("composer.over", { n: left }), true);
    else this.#show(this.say("composer.left", { n: left }));
    this.button.ariaDisabled = barred || over || (this.text.trim() === "" && !this.more()) ? "true" : null;
    this.button.setAttribute("aria-describedby", barred ?? (over ? this.count.id : ""));
  }

  #show(text, over = false) {
    this.count.textContent = text;
    this.count.hidden = text === "";
    this.count.classList.toggle("over", over);
  }
}
