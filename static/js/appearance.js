// Owns how the page as a whole looks: the attributes of <html> that the style sheets read, and the
// colours of the browser around it. The server renders the same (base.html).

const root = document.documentElement;
const PLAIN = { theme: "system", size: "100", enter: "" }; // what needs no attribute

/** Shows the page as the person set it; `hold` makes a change that moves nothing one reads. */
export function appear(kept, hold) {
  const keys = Object.keys(PLAIN).filter((key) => (root.dataset[key] ?? PLAIN[key]) !== kept.get(key));
  if (keys.length > 0) hold(() => keys.forEach((key) => mark(key, kept.get(key))));
}

function mark(key, value) {
  if (value === PLAIN[key]) delete root.dataset[key];
  else root.dataset[key] = value;
  if (key === "theme") paintAround(value);
}

/** A phone's browser has the page's colour around it: the device's theme, or the one that was chosen. */
function paintAround(theme) {
  for (const colour of document.querySelectorAll("meta[name=theme-color]")) {
    const { scheme } = colour.dataset;
    colour.media = theme === "system" ? `(prefers-color-scheme:${scheme})` : theme === scheme ? "all" : "not all";
  }
}
