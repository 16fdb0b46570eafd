// Owns the files of messages in their rows, and where pictures open: large among others, and all files
// of the room in a panel; both are fetched on first use. Comes after the first messages.

import { chipOf, isPicture, picturesOf, pictureOf, playerOf } from "./attachments.js";
import { element } from "./dom.js";
import { kindOf } from "./kinds.js";
import { lazily } from "./lazily.js";

export class Files {
  #viewer = null;
  #collection = null; // they come with their first use
  #previews = new Map(); // local -> address of what waits in this browser

  /** `kept(local)` gives what the browser keeps of a file that is not sent; `base` is where the
   *  server's addresses begin, `pages` that of history; `warn(sentence)` says what cannot be done. */
  constructor(given) {
    const { timeline, base, say, kept, warn } = given;
    Object.assign(this, { timeline, base, say, kept, warn });
    const { you } = timeline;
    this.viewer = lazily("viewer", ({ Viewer }) => (this.#viewer = new Viewer({ ...given, you })), "viewer");
    const open = (link) => this.open(link, () => this.#collection.pictures);
    const make = ({ Collection }) => (this.#collection = new Collection({ ...given, you, open }));
    this.collection = lazily("collection", make, "collection");
    wireOpening(timeline.log, (link) => this.open(link, () => picturesOf(timeline.model.messages)));
  }

  /** Shows a picture large, among those that `pictures()` gives, oldest first: [{message, file}]. */
  async open(link, pictures) {
    const viewer = await this.viewer();
    if (viewer) viewer.open(link, pictures);
    else location.assign(link.href); // the browser shows it
  }

  /** Shows all files of the room beside it, or no longer. */
  async openAll(button) {
    const collection = await this.collection();
    if (collection) collection.open(button);
    else this.warn(this.say("settings.late"));
  }

  /** Messages that are others now, and that are no more. */
  heard(changed, gone) {
    this.#collection?.heard(changed, gone);
    this.#viewer?.gone(gone);
  }

  /** Puts its files into a row. Those of a message that waits are in this browser. */
  show(row, { id, files: all = [] }) {
    const files = id ? all : all.map((file) => ({ ...file, id: undefined }));
    const shown = row.dataset.files ? JSON.parse(row.dataset.files) : [];
    const same = (file, n) => file.id === shown[n].id && file.local === shown[n].local;
    if (files.length === shown.length && files.every(same)) return lookForLost(row);
    const old = row.querySelector(".files");
    old?.remove();
    if (files.length === 0) return row.removeAttribute("data-files");
    row.dataset.files = JSON.stringify(files);
    const made = element("div", ...inOrder(files).flatMap((file) => this.#part(file)));
    made.className = "files";
    made.id = `${row.id}f`; // part of the row's name
    for (const stop of made.querySelectorAll("a, [controls]")) stop.tabIndex = row.tabIndex;
    row.querySelector(".said").append(made);
    if (old) this.#keepSeen(old, made);
  }

  #part(file) {
    if (isPicture(file)) return this.#picture(file);
    return file.id && kindOf(file) !== "file" ? playerOf(file, this.base) : chipOf(file, this.base, this.say);
  }

  #picture(file) {
    const link = pictureOf(file, this.base);
    const image = link.firstChild;
    if (!file.id) this.#preview(file.local).then((address) => address && !image.src && (image.src = address));
    return link;
  }

  /** A picture that waits is shown from this browser. */
  async #preview(local) {
    const { preview, blob } = this.#previews.has(local) ? {} : ((await this.kept(local)) ?? {});
    if (blob && !this.#previews.has(local)) this.#previews.set(local, URL.createObjectURL(preview ?? blob));
    return this.#previews.get(local);
  }

  /** My own picture, sent now, stays in sight until the server's is there. */
  #keepSeen(old, made) {
    const [before, after] = [old, made].map((all) => all.querySelectorAll(".pic img"));
    before.forEach(({ src }, n) => src.startsWith("blob:") && after[n] && this.#replace(src, after[n]));
  }

  async #replace(seen, image) {
    const address = image.src;
    image.src = seen;
    const loaded = new Image();
    loaded.src = address;
    await loaded.decode().catch(() => {});
    image.src = address;
    for (const [local, preview] of this.#previews) if (preview === seen) this.#previews.delete(local);
    URL.revokeObjectURL(seen);
  }
}

/** Presses on pictures within `place` open them, if not in another tab; in place of one that cannot be
 *  drawn stand its words. */
export function wireOpening(place, open) {
  place.addEventListener("error", ({ target }) => markLost(target), true);
  place.addEventListener("click", (event) => {
    const link = event.target.closest("a.pic[href]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    open(link);
  });
}

/** Pictures first: they stand side by side. */
function inOrder(files) {
  return [...files.filter(isPicture), ...files.filter((file) => !isPicture(file))];
}

/** What the server rendered may have failed before anybody listened. */
function lookForLost(row) {
  for (const image of row.querySelectorAll(".pic img")) if (image.complete && !image.naturalWidth) markLost(image);
}

function markLost(image) {
  image.closest(".pic")?.classList.add("lost");
}
