// Owns the parts of the page that can wait: when they are fetched, and who waits for them.

const MODULES = ["people", "editor", "elsewhere", "viewport", "pictures"];

/** `made(modules)` makes the parts of the fetched modules; `later(use)` is called with them. */
export class Parts {
  #loading = false;
  #tries = 0;
  #arrive; // called with them
  #there = new Promise((resolve) => (this.#arrive = resolve));

  constructor(made) {
    this.made = made;
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
    if (modules) this.#arrive(this.made(Object.assign({}, ...modules)));
  }
}
