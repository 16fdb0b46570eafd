// The rules of a person's settings: shipped code and a disk that is a Map.
// Run by tests/test_page_rules.py, or by hand: node --test tests/page/kept.test.mjs

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { Kept } from "../../static/js/kept.js";
import { isQuiet, levelOf, morning, mutedUntil } from "../../static/js/levels.js";
import { PersonStorage } from "../../static/js/storage.js";

beforeEach(() => {
  const disk = new Map();
  globalThis.localStorage = {
    getItem: (key) => disk.get(key) ?? null,
    setItem: (key, text) => disk.set(key, text),
    removeItem: (key) => disk.delete(key),
  };
});

/** A tab with this disk: `told` is what it said to the server, `changed` what its parts heard of. */
function tab(values = {}) {
  const [told, changed] = [[], []];
  const storage = new PersonStorage("chat:/:ana");
  const kept = new Kept({ values, storage, tell: (key, value) => told.push(`${key}=${value}`) });
  kept.on((keys) => changed.push(...keys));
  return { kept, told, changed };
}

test("a setting nobody has set is its default", () => {
  const { kept } = tab({ theme: "", size: "125" });
  assert.deepEqual(["theme", "size", "notify", "quiet", "level:tea"].map((key) => kept.get(key)), ["system", "125", "mentions", "", ""]);
});

test("a change applies at once and is said to the server", () => {
  const { kept, told, changed } = tab();
  kept.set("theme", "dark");
  assert.deepEqual([kept.get("theme"), told, changed], ["dark", ["theme=dark"], ["theme"]]);
  kept.set("theme", "dark");
  assert.equal(told.length, 1);
});

test("what was not told back is said again with the next line, also by another page", () => {
  tab().kept.set("theme", "dark");
  const { kept, told } = tab();
  assert.equal(kept.get("theme"), "dark");
  kept.live();
  assert.deepEqual(told, ["theme=dark"]);
  kept.heard({ theme: "dark" });
  kept.live();
  assert.equal(told.length, 1);
});

test("what waits here stays over what is told until it is told itself", () => {
  const { kept } = tab();
  kept.set("theme", "dark");
  kept.set("theme", "light");
  kept.heard({ theme: "dark" });
  assert.equal(kept.get("theme"), "light");
  kept.heard({ theme: "light" });
  kept.heard({ theme: "dark" }); // another device
  assert.equal(kept.get("theme"), "dark");
});

test("a forgotten setting is its default again", () => {
  const { kept, told } = tab({ "level:tea": "none" });
  kept.set("level:tea", "");
  assert.deepEqual([kept.get("level:tea"), told], ["", ["level:tea="]]);
  kept.heard({ "level:tea": "" });
  assert.equal(levelOf(kept, "tea"), "mentions");
});

test("what is refused is as it was before", () => {
  const { kept, told, changed } = tab({ size: "125" });
  kept.set("size", "1000");
  kept.refused();
  assert.deepEqual([kept.get("size"), changed], ["125", ["size", "size"]]);
  kept.live();
  assert.deepEqual(told, ["size=1000"]);
});

test("two tabs that set something at once both keep it", () => {
  const [one, two] = [tab(), tab()];
  one.kept.set("theme", "dark");
  two.kept.set("size", "150");
  one.kept.stored("kept");
  assert.ok(one.changed.includes("size"));
  two.kept.stored("kept");
  two.kept.heard({ theme: "dark" });
  one.kept.stored("kept"); // its own line may be down
  for (const { kept } of [one, two]) assert.deepEqual([kept.get("theme"), kept.get("size")], ["dark", "150"]);
  one.kept.live();
  assert.deepEqual(one.told, ["theme=dark", "size=150"]); // said twice does no harm
});

test("a damaged disk is as good as none", () => {
  for (const text of ["null", "[1]", "{"]) {
    localStorage.setItem("chat:/:ana:kept", text);
    const { kept } = tab();
    assert.equal(kept.get("theme"), "system");
    kept.set("theme", "dark");
    assert.equal(kept.get("theme"), "dark");
    kept.heard({ theme: "dark" });
  }
});

test("a room has its own level, or that of all rooms", () => {
  const { kept } = tab({ notify: "all", "level:tea": "none" });
  assert.deepEqual([levelOf(kept, "tea"), levelOf(kept, "den")], ["none", "all"]);
});

test("a room is muted until a time, or for good", () => {
  const { kept } = tab({ "mute:tea": "5000", "mute:den": "ever", "mute:odd": "soon" });
  const until = (room, now) => mutedUntil(kept, room, now);
  assert.deepEqual([until("tea", 4999), until("tea", 5000), until("den", 9e15)], [5000, 0, Infinity]);
  assert.deepEqual([until("odd", 0), until("none", 0)], [0, 0]);
});

test("quiet hours may go over midnight", () => {
  const quiet = (value, ...time) => isQuiet(tab({ quiet: value }).kept, new Date(2026, 4, 1, ...time).getTime());
  assert.deepEqual([[21, 59], [22, 0], [23, 59], [0, 0], [7, 29], [7, 30]].map((time) => quiet("22:00-07:30", ...time)), [
    false, true, true, true, true, false,
  ]);
  assert.deepEqual([[12, 59], [13, 0], [14, 59], [15, 0]].map((time) => quiet("13:00-15:00", ...time)), [false, true, true, false]);
  assert.deepEqual(["", "09:00-09:00", "nine"].map((value) => quiet(value, 9, 0)), [false, false, false]);
});

test("morning is the next eight o'clock", () => {
  const at = (...time) => new Date(2026, 4, ...time).getTime();
  assert.deepEqual([at(1, 7, 59), at(1, 8, 0), at(1, 23, 0)].map(morning), [at(1, 8), at(2, 8), at(2, 8)]);
});
