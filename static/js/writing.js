// What writing in the message box does beside the text: others are told of it, and while the box is
// empty some keys move in the list. Comes after the first messages.

const TYPING_EVERY = 3_000; // ms
const PAGES = { PageUp: -1, PageDown: 1 };
const STAYS = 48; // px that are still shown of the screen before

export class Writing {
  #typed = 0;
  #telling = false; // others are told that something is written

  /** `typing(fields)` is called while the text changes, and when what was typed is gone. */
  constructor({ composer, log, typing, editLast }) {
    Object.assign(this, { composer, log, typing, editLast });
    composer.area.addEventListener("keydown", (event) => this.#key(event));
    composer.area.addEventListener("input", () => this.#tell());
    // The message itself says that nobody types it any more.
    composer.form.addEventListener("submit", () => (this.#telling &&= composer.text !== ""));
  }

  #key(event) {
    if (this.composer.text !== "" || event.isComposing) return;
    if (event.key === "ArrowUp" ? this.editLast() : this.#turn(event.key)) event.preventDefault();
  }

  #turn(key) {
    const top = PAGES[key] * (this.log.clientHeight - STAYS);
    if (top) this.log.scrollBy({ top, behavior: "instant" });
    return key in PAGES;
  }

  #tell() {
    if (this.composer.text === "") {
      if (this.#telling) this.typing({ stopped: true });
      this.#telling = false;
    } else if (Date.now() - this.#typed >= TYPING_EVERY) {
      this.#typed = Date.now();
      this.#telling = true;
      this.typing({});
    }
  }
}
