// What a file of a message is called and how it is shown: a picture, film, sound, or a chip. Keeps no
// state; knows no row. Comes after the first messages.

import { clone, element } from "./dom.js";
import { formatOf, kindOf, sizeOf, titleOf } from "./kinds.js";

const BOX = { width: 360, height: 320 }; // px a picture takes at most

export const isPicture = (file) => kindOf(file) === "picture";

/** All pictures of some messages: [{message, file}]. */
export function picturesOf(messages) {
  return messages.flatMap((message) => (message.files ?? []).filter(isPicture).map((file) => ({ message, file })));
}

/** What a message says: its text, or else what its files are. */
export function wordsOf({ text, files = [] }, say) {
  if (text || files.length === 0) return text;
  if (files.length > 1) return say(files.every(isPicture) ? "file.pictures" : "file.files", { n: files.length });
  return isPicture(files[0]) ? say("file.picture") : titleOf(files[0]);
}

/** Where a file is; its name is only for people. */
export function addressOf(base, { id, name }) {
  const code = (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`;
  return `${base}files/${id}/${encodeURIComponent(name).replace(/[!'()*]/g, code)}`;
}

/** Its size, scaled to fit. */
function scaled({ width, height }) {
  const by = Math.min(1, BOX.width / width, BOX.height / height);
  return { width: Math.max(1, Math.round(width * by)), height: Math.max(1, Math.round(height * by)) };
}

/** A picture in its size; without an id it has no address yet. */
export function pictureOf(file, base) {
  const image = Object.assign(element("img"), scaled(file), { loading: "lazy", decoding: "async", alt: file.about || file.name });
  const link = Object.assign(element(file.id ? "a" : "span", image), { className: "pic" });
  if (file.id) image.src = link.href = addressOf(base, file);
  return link;
}

/** Film or sound, played by what the browser has for it; and its name, for paper. */
export function playerOf(file, base) {
  const player = element(kindOf(file));
  const { about, width, height } = file;
  const name = Object.assign(element("span", file.name), { className: "paper", dir: "auto" });
  Object.assign(player, { controls: true, preload: "metadata", src: addressOf(base, file), ariaLabel: about || titleOf(file) });
  return [Object.assign(player, width && height ? scaled(file) : {}), name];
}

/** Name and size; a press downloads it, if it has an address. */
export function chipOf(file, base, say) {
  const format = formatOf(file, say);
  const kind = Object.assign(element("span", format), { className: "kind", ariaHidden: "true" });
  const name = Object.assign(element("span", file.name), { className: "fn", dir: "auto" });
  const size = Object.assign(element("span", `${format}, ${sizeOf(file.size)}`), { className: "sub" });
  const chip = element(file.id ? "a" : "span", kind, Object.assign(element("span", name, size), { className: "grow" }));
  chip.className = "file";
  if (!file.id) return chip;
  chip.append(clone("sign-save"));
  return Object.assign(chip, { href: `${addressOf(base, file)}?download`, download: "" });
}
