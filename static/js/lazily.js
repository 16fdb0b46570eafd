// Parts of the page that are fetched when they are used first.

/** Gives what `make(module)` made of a module, always the same; null while it cannot be fetched. */
export function lazily(name, make) {
  let made = null;
  let tries = 0;
  return async () => {
    const again = tries > 0 ? `?${tries}` : ""; // engines remember an address that failed
    const module = made ? null : await import(`./${name}.js${again}`).catch(() => ((tries += 1), null));
    made ??= module && make(module);
    return made;
  };
}
