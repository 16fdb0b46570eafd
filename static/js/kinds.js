// What a file is called by its kind and its size. Keeps no state; knows no DOM.

const UNITS = ["B", "kB", "MB", "GB"];

/** "picture", "video", "audio" or "file": how it is shown. A picture whose size nobody knows is none. */
export function kindOf({ type, width, height }) {
  const [family] = type.split("/");
  if (family === "image") return width && height ? "picture" : "file";
  return family === "video" || family === "audio" ? family : "file";
}

/** "PDF": what the end of a name says, or that it is a file. */
export function formatOf({ name }, say) {
  return /\.([a-z0-9]{1,4})$/i.exec(name)?.[1].toUpperCase() ?? say("file.kind");
}

/** What it is called in words: sound without the end of its name, as "Voice message". */
export function titleOf(file) {
  return kindOf(file) === "audio" ? file.name.replace(/(.)\.[a-z0-9]{1,4}$/i, "$1") : file.name;
}

/** "240 kB", "2.4 MB". */
export function sizeOf(bytes) {
  let [size, unit] = [bytes, 0];
  for (; size >= 999.5 && unit < UNITS.length - 1; unit += 1) size /= 1000;
  return `${size < 9.95 && unit > 0 ? size.toFixed(1).replace(".0", "") : Math.round(size)} ${UNITS[unit]}`;
}
