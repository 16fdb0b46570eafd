// What the browser keeps for a page: localStorage where it works. Knows no DOM.

/** localStorage, or as good as it gets where it is refused: until the page closes. */
export function openStorage() {
  try {
    localStorage.setItem("chat:probe", "1");
    localStorage.removeItem("chat:probe");
    return localStorage;
  } catch {
    const items = new Map();
    return {
      get length() {
        return items.size;
      },
      key: (n) => [...items.keys()][n] ?? null,
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
      removeItem: (key) => void items.delete(key),
    };
  }
}
