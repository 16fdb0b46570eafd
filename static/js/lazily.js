// Parts of the page that are fetched when they are used first.

/** Gives what `make(module)` made of a module, always the same; null while it cannot be fetched, or the
 *  style `sheets` that it needs. */
export function lazily(name, make, ...sheets) {
  let made = null;
  let tries = 0;
  return async () => {
    const again = tries > 0 ? `?${tries}` : ""; // engines remember an address that failed
    const parts = () => Promise.all([import(`./${name}.js${again}`), ...sheets.map(addStyle)]);
    const [module] = made ? [] : await parts().catch(() => ((tries += 1), []));
    made ??= module && make(module);
    return made ?? null;
  };
}

const styles = new Map(); // sheet -> resolves when it is there

function addStyle(sheet) {
  if (!styles.has(sheet)) styles.set(sheet, fetchStyle(sheet).catch((error) => (styles.delete(sheet), Promise.reject(error))));
  return styles.get(sheet);
}

function fetchStyle(sheet) {
  const link = document.createElement("link");
  const href = new URL(`../css/${sheet}.css`, import.meta.url).href;
  return new Promise((resolve, reject) => {
    Object.assign(link, { rel: "stylesheet", href, onload: resolve, onerror: () => (link.remove(), reject(new Error(href))) });
    document.head.append(link);
  });
}
