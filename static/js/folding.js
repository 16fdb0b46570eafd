// Owns how long parts of a message open and close, and that what is read stays where it is meanwhile.

export class Folding {
  constructor({ log, scroll }) {
    Object.assign(this, { log, scroll });
    log.addEventListener("scroll", ({ target }) => this.#revealed(target), { capture: true, passive: true });
  }

  /** Shows all of a long part of a row, or its beginning again; the row stays where it is. */
  toggle(row, part) {
    this.scroll.hold(() => toggleFold(part), row);
    if (!part.matches(".open")) row.scrollIntoView({ block: "nearest" });
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

function toggleFold(fold) {
  const open = fold.classList.toggle("open");
  const button = fold.querySelector(":scope > .unfold") ?? fold.nextElementSibling;
  button.textContent = open ? button.dataset.less : button.dataset.more;
  button.ariaExpanded = open;
}
