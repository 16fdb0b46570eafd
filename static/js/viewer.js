// Owns the dialog that shows one picture large, among others. Fetched with the first press on one.

import { addressOf } from "./attachments.js";
import { copyFrom } from "./dialogs.js";
import { part, signButton } from "./frame.js";
import { whenOf } from "./times.js";
import { Zoom } from "./zoom.js";

const COPIED = 2_000; // ms it says so

export class Viewer {
  #all = () => []; // the pictures there are: [{message, file}]
  #shown = null; // the one that is shown
  #opener = null; // the link to it

  /** `base` is where the server's addresses begin. */
  constructor({ base, say, language, you }) {
    Object.assign(this, { base, say, language, you, dialog: makeDialog(say) });
    this.image = this.dialog.querySelector("img");
    const stage = this.dialog.querySelector(".view");
    const swipes = { left: () => this.#step(way()), right: () => this.#step(-way()), down: () => this.dialog.close() };
    this.zoom = new Zoom({ stage, image: this.image, left: () => this.dialog.close(), swiped: (side) => swipes[side]() });
    document.body.append(this.dialog);
    const acts = { previous: () => this.#step(-1), next: () => this.#step(1), link: () => this.#copy(), close: () => this.dialog.close(), where: () => this.dialog.close() };
    for (const [name, act] of Object.entries(acts)) this.#part(name).addEventListener("click", act);
    this.dialog.addEventListener("keydown", (event) => this.#key(event));
    this.dialog.addEventListener("close", () => this.#closed());
    for (const name of ["load", "error"]) this.image.addEventListener(name, () => this.#came(name === "error"));
  }

  /** Shows the picture that `link` leads to, among those that `all()` gives. */
  open(link, all) {
    this.#all = all;
    this.#opener = link;
    const address = link.getAttribute("href");
    const picture = all().find(({ file }) => addressOf(this.base, file) === address);
    if (!picture) return; // it went in this moment
    this.#show(picture);
    this.dialog.showModal();
    this.#part("close").focus({ focusVisible: false });
  }

  /** These messages are no more: what was in one of them is seen no longer. */
  gone(ids) {
    if (!this.dialog.open || !ids.includes(this.#shown.message.id)) return;
    const others = this.#all();
    const next = others.find(({ message }) => message.id > this.#shown.message.id) ?? others.at(-1);
    if (next) this.#show(next);
    else this.dialog.close();
  }

  get #address() {
    return addressOf(this.base, this.#shown.file);
  }

  #part(name) {
    return this.dialog.querySelector(`.${name}`);
  }

  /** Which of them it is; they may have become others. */
  #at(all) {
    return all.findIndex(({ file }) => file.id === this.#shown.file.id);
  }

  #step(by) {
    const all = this.#all();
    const next = all[this.#at(all) + by];
    if (next) this.#show(next);
  }

  #show(picture) {
    this.#shown = picture;
    const { message, file } = picture;
    const address = this.#address;
    const { name, about } = file;
    Object.assign(this.image, { src: address, alt: about || name });
    this.dialog.classList.remove("lost");
    this.dialog.classList.toggle("busy", !this.image.complete);
    this.zoom.reset();
    this.#part("who").textContent = message.user === this.you.user ? this.say("you") : message.name;
    this.#part("when").textContent = whenOf(message.at, this.language);
    this.#part("where").href = `#m${message.id}`;
    this.#part("save").href = `${address}?download`;
    this.#place();
  }

  #came(failed) {
    this.dialog.classList.remove("busy");
    this.dialog.classList.toggle("lost", failed);
  }

  /** Says which of how many it is, and fetches those beside it. */
  #place() {
    const all = this.#all();
    const at = this.#at(all);
    this.#part("sub").textContent = this.say("viewer.place", { name: this.#shown.file.name, at: at + 1, of: all.length });
    for (const [name, by] of [["previous", -1], ["next", 1]]) {
      const beside = all[at + by];
      this.#part(name).ariaDisabled = beside ? null : "true";
      if (beside) new Image().src = addressOf(this.base, beside.file);
    }
  }

  async #copy() {
    if (!(await copyFrom(this.dialog, new URL(this.#address, location.href).href))) return;
    this.#part("sub").textContent = this.say("text.copied");
    setTimeout(() => this.dialog.open && this.#place(), COPIED);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const keys = {
      ArrowLeft: () => this.#step(-way()),
      ArrowRight: () => this.#step(way()),
      "+": () => this.zoom.step(1),
      "-": () => this.zoom.step(-1),
      0: () => this.zoom.reset(),
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }

  /** The focus goes back to the picture that was shown, if it is there. */
  #closed() {
    this.image.removeAttribute("src");
    const place = this.#opener.closest(".log, dialog");
    const link = place && [...place.querySelectorAll("a.pic")].find((one) => one.getAttribute("href") === this.#address);
    const heir = link ?? this.#opener;
    if (heir !== this.#opener) heir.scrollIntoView({ block: "nearest" });
    heir.focus({ preventScroll: true });
  }
}

/** What stands to the right: the next one, or from right to left the one before. */
const way = () => (document.dir === "rtl" ? -1 : 1);

function makeDialog(say) {
  const who = part("b", "who", { dir: "auto" });
  const where = part("a", "where", {}, who, " ", part("time", "when"));
  const title = part("p", "", { ariaLive: "polite" }, where, part("span", "sub", { dir: "auto" }));
  const bar = part("div", "bar", {}, title);
  bar.append(
    signButton("previous", "back", say("viewer.previous")),
    signButton("next", "go", say("viewer.next")),
    signButton("save", "save", say("viewer.save"), part("a", "", { download: "" })),
    signButton("link", "link", say("message.copy_link")),
    signButton("close", "close", say("dialog.close")),
  );
  const view = part("div", "view", {}, part("img", ""), part("p", "none", {}, say("viewer.lost")));
  return part("dialog", "viewer", { ariaLabel: say("viewer.label") }, bar, view);
}
