// Owns the rooms that only this browser knows: it kept a list before the server did. They stay in the list
// until a visit makes them known to the server. Fetched where there is such a list.

/** Adds them to `rooms`. `shared` kept a list for the browser, whoever used it, in version 0.1.0. */
export function addOld(rooms, storage, shared) {
  if (storage.text("rooms") === null) storage.keep("rooms", shared.text("rooms"));
  shared.remove("rooms");
  const titles = storage.read("titles", {});
  const names = storage.read("rooms", []).filter((name) => typeof name === "string" && !rooms.knows(name));
  if (names.length === 0) return storage.remove("rooms"), storage.remove("titles");
  storage.write("rooms", names);
  rooms.old = new Map(names.map((name) => [name, titles[name] ?? name]));
  rooms.arrange();
  rooms.mark();
}
