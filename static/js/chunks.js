// The rows, each in a chunk of at most 50, which the engine may skip as a whole. Knows rows only as
// boxes, not what is said.

import { element } from "./dom.js";

const CHUNK = 50; // rows drawn or skipped together

export const rowsOf = (chunk) => [...chunk.children].filter((part) => part.matches(".msg"));

/** The row before ("previous") or after ("next"), across chunks. */
export function neighbour(row, side) {
  const step = `${side}ElementSibling`;
  for (let node = row[step]; node; node = node[step]) if (node.matches(".msg")) return node;
  return rowFrom(row.parentElement[step], side);
}

/** The first row in this chunk or the ones after it ("next"), or the last in those before. */
function rowFrom(chunk, side) {
  for (let at = chunk; at?.matches(".chunk"); at = at[`${side}ElementSibling`]) {
    const found = rowsOf(at).at(side === "next" ? 0 : -1);
    if (found) return found;
  }
  return null;
}

/** The rows, each in a chunk of at most 50. `top` is what the first chunk comes after. */
export class Chunks {
  constructor(top, scroll) {
    Object.assign(this, { top, scroll, col: top.parentElement });
  }

  get all() {
    return [...this.col.children].filter((part) => part.matches(".chunk"));
  }

  get first() {
    return rowFrom(this.top.nextElementSibling, "next");
  }

  get last() {
    let end = this.col.lastElementChild;
    while (end && !end.matches(".chunk")) end = end.previousElementSibling;
    return rowFrom(end, "previous");
  }

  clear() {
    for (const chunk of this.all) chunk.remove();
  }

  /** New first chunks with these rows. */
  prepend(rows) {
    const made = [];
    for (let end = rows.length; end > 0; end -= CHUNK) {
      const chunk = this.#make(this.top);
      chunk.append(...rows.slice(Math.max(0, end - CHUNK), end));
      made.push(chunk);
    }
    return made;
  }

  /** Puts a line that is no row at the end. */
  append(line) {
    (this.all.at(-1) ?? this.#make(this.top)).append(line);
  }

  /** Puts a row after `previous`, and after the lines there that stand for something before `id`. */
  place(row, previous, id) {
    const chunk = previous?.parentElement ?? this.#withRoom(null);
    let after = previous;
    let line = after ? after.nextElementSibling : chunk.firstElementChild;
    for (; Number(line?.dataset.to) < id; line = line.nextElementSibling) after = line;
    if (!after) return chunk.prepend(row);
    const full = rowsOf(chunk).length >= CHUNK;
    if (full && !after.nextElementSibling) return this.#withRoom(chunk).prepend(row);
    after.after(row);
    if (full) this.#split(chunk);
  }

  /** The chunk after `chunk`, or the first one; made where there is none with room. */
  #withRoom(chunk) {
    const next = chunk ? chunk.nextElementSibling : this.all[0];
    if (next?.matches(".chunk") && rowsOf(next).length < CHUNK) return next;
    requestAnimationFrame(() => this.#settle()); // when what was at the end is out of sight
    return this.#make(chunk ?? this.top);
  }

  /** All but the last chunk grow no more. */
  #settle() {
    const settled = this.all.slice(0, -1).filter((chunk) => !chunk.matches(".measured"));
    for (const chunk of settled) this.scroll.measure(chunk);
  }

  #make(before) {
    const made = element("div");
    made.className = "chunk";
    before.after(made);
    return made;
  }

  #split(chunk) {
    const half = rowsOf(chunk)[CHUNK / 2];
    const made = this.#make(chunk);
    while (half.nextSibling) made.append(half.nextSibling);
    this.scroll.measure(chunk);
    this.scroll.measure(made);
  }
}
