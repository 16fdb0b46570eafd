// Owns what other apps share with the installed chat: the worker that takes it (sw.js), and the way from
// there into the draft of the room that the person chooses. Fetched where the chat is installed.

const CHOSEN = "sharing"; // the next room that is opened is the one

/**
 * `root` is where the chat begins. `stage({text, files})` puts them into the draft, `choose()` lets the
 * person choose a room, if there are several, `warn()` says that it could not be taken.
 */
export function wireSharing({ root, storage, stage, choose, warn }) {
  navigator.serviceWorker?.register(new URL("sw.js", root)).catch(() => {});
  const { hash, pathname } = location;
  if (/^#(un)?shared$/.test(hash)) history.replaceState(null, "", pathname);
  if (hash === "#unshared") return warn();
  if (hash === "#shared" && choose()) return storage.write(CHOSEN, true);
  if (hash !== "#shared" && !storage.read(CHOSEN, false)) return undefined;
  storage.remove(CHOSEN);
  return takeShared(root).then((shared) => shared && stage(shared), warn);
}

/** What was shared, once; undefined if there is nothing. */
async function takeShared(root) {
  const cache = await caches.open("shared"); // as in sw.js
  const address = new URL("share", root);
  const form = await (await cache.match(address))?.formData();
  await cache.delete(address);
  if (!form) return undefined;
  const words = ["title", "text", "url"].map((name) => form.get(name)).filter(Boolean);
  return { text: words.join("\n"), files: form.getAll("files").filter((file) => file instanceof File) };
}
