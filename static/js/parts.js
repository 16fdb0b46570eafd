// Owns when the parts of the page that can wait are fetched, and who waits for them.

const MODULES = ["people", "editor", "elsewhere", "viewport", "pictures", "gaps", "rest"];

/** The parts of `page`, wired by rest.js. */
export class Parts {
  #loading = false;
  #tries = 0;
  #arrive; // called with them
  #there = new Promise((resolve) => (this.#arrive = resolve));

  constructor(page) {
    this.page = page;
  }

  /** Calls `use` with the parts as soon as they are there. */
  later(use) {
    this.#there.then(use);
  }

  /** Fetches them once the line is up, or known to be down; if that fails, with the next such news. */
  async fetch() {
    if (this.#loading) return;
    this.#loading = true;
    this.#tries += 1;
    const again = this.#tries > 1 ? `?${this.#tries}` : ""; // engines remember an address that failed
    const fetched = MODULES.map((name) => import(`./${name}.js${again}`));
    const modules = await Promise.all(fetched).catch(() => null);
    this.#loading = Boolean(modules);
    if (!modules) return;
    const { wire, ...made } = Object.assign({}, ...modules);
    this.#arrive(wire(this.page, made));
  }
}
