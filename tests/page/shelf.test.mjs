// The rules of the shelf where there is no IndexedDB; those of the disk are in tests/browser/test_shelf.py.
// Run by tests/test_page_rules.py, or by hand: node --test tests/page/shelf.test.mjs

import assert from "node:assert/strict";
import { test } from "node:test";

import { Shelf } from "../../static/js/shelf.js";

const blob = new Blob(["a picture"]);
const locals = (records) => records.map(({ local }) => local);

test("without a database files stay in memory, and one is told so", async () => {
  const shelf = new Shelf("chat:/", "ana");
  assert.equal(shelf.holdsOnly, false);
  assert.equal(await shelf.put("one", { blob, name: "a.png", about: "", room: "lobby" }), false);
  assert.equal(shelf.holdsOnly, true);
  const { name, user, room, blob: kept } = await shelf.get("one");
  assert.deepEqual([name, user, room, await kept.text()], ["a.png", "ana", "lobby", "a picture"]);
  await shelf.remove("one");
  assert.equal(await shelf.get("one"), undefined);
  assert.equal(shelf.holdsOnly, false);
});

test("the files of a room are listed in the order they came", async () => {
  const shelf = new Shelf("chat:/", "ana");
  for (const [at, [local, room]] of [["a", "lobby"], ["b", "garden"], ["c", "lobby"]].entries()) {
    await shelf.put(local, { blob, name: local, about: "", room, at });
  }
  await shelf.put("a", { ...(await shelf.get("a")), about: "A boat" });
  assert.deepEqual(locals(await shelf.list("lobby")), ["a", "c"]);
  assert.equal((await shelf.get("a")).about, "A boat");
  assert.deepEqual(await shelf.list("kitchen"), []);
});

test("who has signed out leaves nothing and nothing is put there again", async () => {
  const shelf = new Shelf("chat:/", "ana");
  await shelf.put("one", { blob, name: "a.png", about: "", room: "lobby" });
  await shelf.forget();
  assert.equal(await shelf.put("two", { blob, name: "b.png", about: "", room: "lobby" }), false);
  assert.deepEqual(await shelf.list("lobby"), []);
});
