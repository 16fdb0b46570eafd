// Owns how long parts of a message open and close, and that what is read stays where it is meanwhile;
// and which code is wider than its box: that must be reached by keys, to be scrolled.

export class Folding {
  #widths; // of code near the screen: to measure all of it would lay out what the engine skips

  constructor({ log, scroll }) {
    Object.assign(this, { log, scroll });
    const seen = (entries) => entries.forEach(({ target, isIntersecting }) => isIntersecting && measure(target));
    this.#widths = new IntersectionObserver(seen, { root: log, rootMargin: "100%" });
    log.addEventListener("scroll", ({ target }) => this.#revealed(target), { capture: true, passive: true });
  }

  /** Shows all of a long part of a row, or its beginning again; the row stays where it is. */
  toggle(row, part) {
    this.scroll.hold(() => toggleFold(part), row);
    if (!part.matches(".open")) row.scrollIntoView({ block: "nearest" });
  }

  /** A row is painted: its code is another. */
  show(row) {
    for (const pre of row.querySelectorAll("pre")) this.#widths.observe(pre);
  }

  /** What is found or focused in a folded part scrolls it: then it is wanted. */
  #revealed(box) {
    const part = box.closest?.(".fold:not(.open)");
    if (!part || box.scrollTop === 0) return;
    const by = box.scrollTop;
    this.toggle(part.closest(".msg"), part);
    this.log.scrollTop += by; // what was brought into sight stays there
  }
}

function measure(pre) {
  const wide = pre.scrollWidth > pre.clientWidth;
  pre.classList.toggle("wide", wide);
  pre.tabIndex = wide ? 0 : pre.closest(".msg").tabIndex;
}

function toggleFold(fold) {
  const open = fold.classList.toggle("open");
  const button = fold.querySelector(":scope > .unfold") ?? fold.nextElementSibling;
  button.textContent = open ? button.dataset.less : button.dataset.more;
  button.ariaExpanded = open;
}
