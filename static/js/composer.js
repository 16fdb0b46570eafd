// Owns the message box with its draft and its limit, and what the Enter key means. Knows no messages
// and no socket.

const SAVE_AFTER = 300; // ms of quiet
const TYPING_EVERY = 3_000; // ms
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
    this.button.ariaDisabled = over || this.text.trim() === "" ? "true" : null;
    if (over) this.button.setAttribute("aria-describedby", this.count.id);
    else this.button.removeAttribute("aria-describedby");
  }

  #show(text, over = false) {
    this.count.textContent = text;
    this.count.hidden = text === "";
    this.count.classList.toggle("over", over);
  }
}
