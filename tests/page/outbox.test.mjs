// The rules of the outbox: shipped code, a disk that is a Map, a clock that the test moves.
// Run by tests/test_page_rules.py, or by hand: node --test tests/page/outbox.test.mjs

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Outbox } from "../../static/js/outbox.js";
import { salvage } from "../../static/js/salvage.js";
import { PersonStorage } from "../../static/js/storage.js";
import { begin, passes, settled } from "./disk.mjs";

const DAY = 24 * 3_600_000; // ms
const ANSWER_WITHIN = 10_000; // ms

beforeEach(begin);

/** A page with this disk: `sent` are the commands that its line took. */
function page({ epoch = "first", user = "ana", up = true } = {}) {
  const line = {
    up,
    sent: [],
    silences: 0,
    carries: () => true,
    send: ({ cid, command, fields }) => line.up && Boolean(line.sent.push({ cid, command, fields })),
    silent: () => ((line.silences += 1), (line.up = false)), // it is left, and `comes` again
  };
  const [back, released] = [[], []];
  const outbox = new Outbox({
    storage: new PersonStorage(`chat:/:ana`),
    room: "lobby",
    you: { user, name: "Ana" },
    say: (key) => key,
    line,
    changed: () => {},
    returned: ({ command, fields }, detail) => back.push({ command, ...fields, detail }),
    released: (files) => released.push(...files.map(({ local }) => local)),
  });
  outbox.epoch = epoch;
  return { line, outbox, back, released, sent: line.sent, comes: () => ((line.up = true), outbox.live(), settled()) };
}

const put = (cid, entry) => localStorage.setItem(`chat:/:ana:lobby:outbox:${cid}`, JSON.stringify(entry));
const kept = () => Object.keys(localStorage).filter((key) => key.includes(":outbox:"));
const told = (sent) => sent.map(({ command, fields }) => `${command} ${fields.text ?? fields.emoji ?? fields.topic ?? fields.id}`);

// --- answered

test("every lasting command goes with its cid and waits on disk for the change that carries it", async () => {
  const { outbox, sent } = page();
  const commands = [
    ["say", { text: "hi" }, "message"],
    ["edit", { id: 1, text: "ho" }, "message"],
    ["react", { id: 1, emoji: "👍", on: true }, "reaction"],
    ["delete", { id: 1 }, "gone"],
    ["room", { topic: "tea" }, "settings"],
  ];
  for (const [command, fields, name] of commands) {
    const { cid } = outbox.add(command, fields);
    await settled();
    assert.deepEqual(sent.at(-1), { cid, command, fields });
    assert.equal(kept().length, 1);
    outbox.heard(name, { rev: 1, user: name === "gone" ? undefined : "ana", cid });
    assert.deepEqual([kept(), outbox.entries], [[], []]);
  }
});

test("a message changed since is known by the cid of its say", async () => {
  const { outbox } = page();
  const { cid } = outbox.add("say", { text: "hi" });
  outbox.heard("message", { rev: 2, id: 1, user: "ana", text: "ho", cid: "another1", said: cid });
  assert.deepEqual(outbox.entries, []);
});

test("a change that looks like mine answers nothing", async () => {
  const { outbox } = page();
  const { cid } = outbox.add("edit", { id: 1, text: "one" });
  outbox.heard("message", { rev: 2, id: 1, user: "ana", text: "one", cid: "another1" });
  assert.equal(kept().length, 1);
  outbox.heard("message", { rev: 3, id: 9, user: "mallory", text: "x", cid });
  assert.equal(kept().length, 1);
});

test("what is done is off the disk at once, and pending until the page is level with it", async () => {
  const { outbox } = page();
  outbox.level(4);
  const { cid } = outbox.add("edit", { id: 1, text: "one" });
  await settled();
  outbox.done({ cid, rev: 6 });
  assert.deepEqual(kept(), []);
  assert.deepEqual(outbox.entries.map(({ cid, failed }) => [cid, failed]), [[cid, undefined]]);
  outbox.level(5);
  assert.equal(outbox.entries.length, 1);
  outbox.level(6);
  assert.deepEqual(outbox.entries, []);
});

test("what is done at a rev that the page has is gone at once", async () => {
  const { outbox } = page();
  outbox.level(4);
  outbox.done({ cid: outbox.add("delete", { id: 1 }).cid, rev: 4 });
  assert.deepEqual(outbox.entries, []);
});

test("what is done and was then seen in a page of history is shown once", async () => {
  const { outbox } = page();
  const { cid } = outbox.add("say", { text: "hi" });
  outbox.done({ cid, rev: 6 });
  outbox.heard("message", { rev: 6, id: 6, user: "ana", text: "hi", cid });
  assert.deepEqual(outbox.entries, []);
});

test("what was done in one history is not waited for in another", async () => {
  const { outbox } = page();
  outbox.done({ cid: outbox.add("say", { text: "hi" }).cid, rev: 6 });
  outbox.epoch = "second";
  assert.deepEqual(outbox.entries, []);
});

test("a refused message stays to be tried again, anything else is given back in words", async () => {
  const { outbox, back, sent } = page();
  const said = outbox.add("say", { text: "hi" });
  await settled();
  outbox.refuse({ cid: said.cid, code: "too_long", detail: "That is too long." });
  assert.equal(outbox.entries[0].failed, "That is too long.");
  for (const [command, fields] of [["edit", { id: 1, text: "x" }], ["react", { id: 1, emoji: "👍", on: true }], ["room", { topic: "tea" }]]) {
    const { cid } = outbox.add(command, fields);
    await settled();
    outbox.refuse({ cid, code: "not_found", detail: "No." });
    await settled();
    assert.deepEqual(back.pop(), { command, ...fields, detail: "No." });
  }
  assert.equal(kept().length, 1);
  outbox.again(said.cid);
  await settled();
  assert.equal(sent.at(-1).cid, said.cid);
});

test("a refusal for now sends itself again under its cid when its time has come", async () => {
  const { outbox, sent } = page();
  const { cid } = outbox.add("say", { text: "hi" });
  await settled();
  outbox.refuse({ cid, code: "slow_down", detail: "Slow down.", retry: 3_000 });
  await passes(2_000);
  outbox.live(); // that there is a line is no reason to be faster
  await passes(500);
  assert.equal(sent.length, 1);
  await passes(1_000);
  assert.deepEqual(sent.map((frame) => frame.cid), [cid, cid]);
});

// --- sent again

test("each live sends again what is in flight", async () => {
  const { outbox, sent, comes } = page();
  const { cid } = outbox.add("edit", { id: 1, text: "one" });
  await settled();
  await comes(); // on the same line, which had fallen behind
  assert.deepEqual(sent.map((frame) => frame.cid), [cid, cid]);
  outbox.down(1006);
  await comes();
  assert.deepEqual(sent.map((frame) => frame.cid), [cid, cid, cid]);
});

test("one is in flight at a time, in the order they were made, also after a clock set back", async () => {
  const { outbox, sent } = page();
  const made = ["one", "two", "three"].map((text) => (mock.timers.setTime(Date.now() - DAY), outbox.add("say", { text })));
  for (const [n, { cid }] of made.entries()) {
    await settled();
    assert.equal(sent.length, n + 1);
    assert.equal(sent.at(-1).cid, cid);
    outbox.heard("message", { rev: n, user: "ana", cid });
  }
});

test("an answer that never comes ends the line, and three times makes it fail", async () => {
  const { outbox, line, sent, comes } = page();
  const { cid } = outbox.add("edit", { id: 1, text: "one" });
  for (let n = 1; n <= 3; n += 1) {
    await passes(ANSWER_WITHIN);
    assert.equal(line.silences, n);
    await comes();
  }
  assert.equal(sent.length, 3);
  assert.equal(outbox.entries[0].failed, "message.late");
  assert.equal(kept().length, 1);
  outbox.again(cid);
  await settled();
  assert.equal(sent.at(-1).cid, cid);
});

test("what ended the line by its size is not sent again", async () => {
  const { outbox, sent, comes } = page();
  outbox.add("say", { text: "x" });
  await settled();
  outbox.down(1009);
  await comes();
  assert.equal(sent.length, 1);
  assert.equal(outbox.entries[0].failed, "message.too_big");
});

// --- what was sent stays, what comes later waits

const LATER = {
  "an edit waits behind an edit of its message": [["edit", { id: 1, text: "one" }], ["edit", { id: 1, text: "two" }]],
  "a deletion waits behind an edit of its message": [["edit", { id: 1, text: "one" }], ["delete", { id: 1 }]],
  "a reaction waits behind the same reaction": [["react", { id: 1, emoji: "👍", on: true }], ["react", { id: 1, emoji: "👍", on: false }]],
  "settings wait behind settings": [["room", { topic: "one" }], ["room", { topic: "two" }]],
};
for (const [name, [first, second]] of Object.entries(LATER)) {
  test(`${name}, also behind one that failed`, async () => {
    const { outbox, sent, comes } = page();
    const { cid } = outbox.add(...first);
    await settled();
    const later = outbox.add(...second);
    for (let n = 0; n < 3; n += 1) await passes(ANSWER_WITHIN), await comes();
    outbox.add("say", { text: "meanwhile" });
    await settled();
    assert.deepEqual(told(sent.slice(3)), ["say meanwhile"]);
    outbox.heard("message", { rev: 1, user: "ana", cid: sent.at(-1).cid });
    outbox.again(cid);
    await settled();
    assert.equal(sent.at(-1).cid, cid);
    outbox.done({ cid, rev: 0 });
    await settled();
    assert.equal(sent.at(-1).cid, later.cid);
  });
}

test("other things wait for nothing but their turn", async () => {
  const { outbox, sent, comes } = page();
  outbox.add("edit", { id: 1, text: "one" });
  for (let n = 0; n < 3; n += 1) await passes(ANSWER_WITHIN), await comes();
  sent.length = 0;
  const others = [["edit", { id: 2, text: "two" }], ["react", { id: 1, emoji: "👍", on: true }], ["react", { id: 1, emoji: "🎉", on: true }], ["room", { topic: "tea" }]];
  for (const other of others) {
    const { cid } = outbox.add(...other);
    await settled();
    assert.equal(sent.at(-1).cid, cid);
    outbox.done({ cid, rev: 0 });
  }
});

test("who gives up on what may still arrive lets out what waited behind it", async () => {
  const { outbox, sent, comes } = page();
  const { cid } = outbox.add("edit", { id: 1, text: "one" });
  const later = outbox.add("edit", { id: 1, text: "two" });
  for (let n = 0; n < 3; n += 1) await passes(ANSWER_WITHIN), await comes();
  assert.equal(outbox.discard(cid), "one");
  await settled();
  assert.equal(sent.at(-1).cid, later.cid);
});

test("one never sent is replaced by the next on its thing, and a message never", async () => {
  const { outbox, sent, comes } = page({ up: false });
  const made = [
    ["say", { text: "hi" }],
    ["edit", { id: 1, text: "one" }],
    ["edit", { id: 2, text: "other" }],
    ["edit", { id: 1, text: "two" }],
    ["delete", { id: 2 }],
    ["react", { id: 3, emoji: "👍", on: true }],
    ["react", { id: 3, emoji: "🎉", on: true }],
    ["react", { id: 3, emoji: "👍", on: false }],
    ["room", { topic: "tea" }],
    ["room", { topic: "coffee" }],
    ["say", { text: "hi" }],
  ];
  for (const one of made) outbox.add(...one);
  await comes();
  for (let n = 0; n < made.length; n += 1) outbox.done({ cid: sent.at(-1).cid, rev: 0 }), await settled();
  assert.deepEqual(told(sent), ["say hi", "edit two", "delete 2", "react 🎉", "react 👍", "room coffee", "say hi"]);
});

test("one that was sent is not replaced, and of those behind it only the newest goes", async () => {
  const { outbox, sent } = page();
  for (const text of ["one", "two", "three"]) outbox.add("edit", { id: 1, text }), await settled();
  assert.equal(kept().length, 2);
  outbox.done({ cid: sent[0].cid, rev: 0 });
  await settled();
  assert.deepEqual(told(sent), ["edit one", "edit three"]);
});

// --- age

test("what was sent is asked about after six days, and goes as new only then", async () => {
  const { outbox, sent, line, comes } = page();
  const { cid, at } = outbox.add("say", { text: "hi" });
  await settled();
  line.up = false;
  outbox.down(1006);
  mock.timers.setTime(Date.now() + 6 * DAY + 1);
  await comes();
  assert.equal(sent.length, 1);
  assert.equal(outbox.entries[0].failed, "message.old");
  outbox.again(cid);
  await settled();
  assert.equal(sent.length, 2);
  assert.notEqual(sent[1].cid, cid);
  assert.deepEqual(outbox.entries.map((entry) => [entry.cid, entry.at]), [[sent[1].cid, at]]);
});

test("one that failed for want of an answer is asked about as well before it goes as new", async () => {
  const { outbox, sent, comes } = page();
  const { cid } = outbox.add("say", { text: "hi" });
  for (let n = 0; n < 3; n += 1) await passes(ANSWER_WITHIN), await comes();
  mock.timers.setTime(Date.now() + 6 * DAY);
  outbox.again(cid);
  await settled();
  assert.equal(sent.length, 3);
  assert.equal(outbox.entries[0].failed, "message.old");
});

test("a refusal is an answer: after any time it may be tried again under its cid", async () => {
  const { outbox, sent } = page();
  const { cid } = outbox.add("say", { text: "hi" });
  await settled();
  outbox.refuse({ cid, code: "too_long", detail: "No." });
  mock.timers.setTime(Date.now() + 7 * DAY);
  outbox.again(cid);
  await settled();
  assert.deepEqual(sent.map((frame) => frame.cid), [cid, cid]);
});

test("the six days are counted from when it was first sent", async () => {
  const { outbox, sent, comes } = page();
  outbox.add("say", { text: "hi" });
  await settled();
  for (let n = 0; n < 2; n += 1) outbox.down(1006), mock.timers.setTime(Date.now() + 4 * DAY), await comes();
  assert.equal(sent.length, 2);
});

test("up to six days what was sent goes again under its cid", async () => {
  const { outbox, sent, comes } = page();
  const { cid } = outbox.add("say", { text: "hi" });
  await settled();
  outbox.down(1006);
  mock.timers.setTime(Date.now() + 6 * DAY - 1_000);
  await comes();
  assert.deepEqual(sent.map((frame) => frame.cid), [cid, cid]);
});

test("one never sent may be of any age", async () => {
  const { outbox, sent, comes } = page({ up: false });
  const { cid } = outbox.add("edit", { id: 1, text: "one" });
  mock.timers.setTime(Date.now() + 400 * DAY);
  await comes();
  assert.deepEqual(sent.map((frame) => frame.cid), [cid]);
});

// --- another history, another person

test("in another history a message is sent, an edit gives its text back, the rest is dropped", async () => {
  const { outbox, line, sent, back, comes } = page();
  outbox.add("edit", { id: 1, text: "one" }); // sent, and never answered
  await settled();
  line.up = false;
  outbox.down(1006);
  outbox.add("say", { text: "hi" });
  outbox.add("delete", { id: 2 });
  outbox.add("react", { id: 3, emoji: "👍", on: true });
  outbox.add("room", { topic: "tea" });
  outbox.epoch = "second";
  assert.deepEqual(outbox.entries.map(({ command }) => command), ["say"]);
  await comes();
  assert.deepEqual(told(sent.slice(1)), ["say hi"]);
  assert.deepEqual(back, [{ command: "edit", id: 1, text: "one", detail: "message.restored" }]);
  assert.equal(kept().length, 1);
});

test("an answer goes to another history without what it answers, also one that was sent or failed", async () => {
  const { outbox, line, sent, comes } = page();
  outbox.add("say", { text: "sent", reply: 1 });
  await settled();
  const { cid } = outbox.add("say", { text: "failed", reply: 2 });
  line.up = false;
  outbox.down(1006);
  put(cid, { ...JSON.parse(localStorage.getItem(`chat:/:ana:lobby:outbox:${cid}`)), failed: "message.late" });
  assert.equal(outbox.entries[0].fields.reply, 1, "in this history it stays");
  outbox.epoch = "second";
  await comes();
  outbox.done({ cid: sent[0].cid, rev: 0 });
  outbox.again(cid);
  await settled();
  const frames = sent.slice(1).map(({ cid, fields }) => ({ cid, ...fields }));
  assert.deepEqual(frames, [{ cid: sent[0].cid, text: "sent" }, { cid, text: "failed" }]);
});

test("an answer of another tab, which has not heard of this history, goes without what it answers too", async () => {
  const { outbox, sent, comes } = page({ epoch: "second" });
  await comes();
  page({ up: false }).outbox.add("say", { text: "of before", reply: 1 });
  outbox.flush();
  await settled();
  assert.deepEqual(sent.map(({ fields }) => fields), [{ text: "of before" }]);
});

test("an edit in this history neither waits for nor replaces one in another", async () => {
  const { outbox, line, sent, back, comes } = page({ up: false });
  outbox.add("edit", { id: 1, text: "of before" });
  outbox.epoch = "second";
  const { cid } = outbox.add("edit", { id: 1, text: "of now" });
  assert.equal(kept().length, 2);
  await comes();
  assert.deepEqual(sent.map((frame) => frame.cid), [cid]);
  assert.equal(back[0].text, "of before");
});

test("a tab that has not heard of another history yet throws nothing of it away, and sends nothing", async () => {
  const [old, back] = [page(), page({ epoch: "second", up: false })];
  back.outbox.add("edit", { id: 1, text: "of now" });
  old.outbox.add("say", { text: "hi" });
  await passes(1_000);
  assert.equal(kept().length, 2);
  assert.deepEqual([told(old.sent), old.back], [["say hi"], []]);
});

test("what another person wrote is text, and never sent", async () => {
  page({ user: "bea", up: false }).outbox.add("say", { text: "by Bea" });
  const { outbox, sent, comes } = page();
  await comes();
  const [entry] = outbox.entries;
  assert.equal(entry.failed, "message.strange");
  outbox.again(entry.cid);
  await settled();
  assert.deepEqual(sent, []);
  assert.equal(outbox.discard(entry.cid), "by Bea");
  assert.deepEqual(kept(), []);
});

// --- files

const FILE = { local: "here-1", name: "cat.jpg", about: "a cat", type: "image/jpeg", size: 5, width: 4, height: 3 };
const files = (...ids) => ids.map((id, n) => ({ ...FILE, local: `here-${n + 1}`, ...(id && { id }) }));

/** As uploads.js does it. */
const bring = ({ outbox }, cid, ...ids) => {
  const entry = outbox.kept.find(cid);
  outbox.kept.save({ ...entry, fields: { ...entry.fields, files: files(...ids) } });
  outbox.flush();
  return settled();
};

test("a message waits until all its files have ids, and does not hold up what was written later", async () => {
  const one = page();
  const { cid } = one.outbox.add("say", { text: "with files", files: files("", "") });
  await settled();
  const later = one.outbox.add("say", { text: "later" });
  await bring(one, cid, "idA", "");
  assert.deepEqual(told(one.sent), ["say later"]);
  await bring(one, cid, "idA", "idB");
  one.outbox.done({ cid: later.cid, rev: 0 });
  await settled();
  assert.deepEqual(told(one.sent), ["say later", "say with files"]);
  assert.equal(one.sent[1].cid, cid);
});

test("of a file only what the server is to know goes out", async () => {
  const one = page();
  one.outbox.add("say", { text: "", files: [{ ...FILE, id: "idA" }] });
  await settled();
  assert.deepEqual(one.sent[0].fields, { text: "", files: [{ id: "idA", name: "cat.jpg", about: "a cat" }] });
});

test("a message whose file the server has no more brings all of them anew, once, under its cid", async () => {
  const one = page();
  const { cid } = one.outbox.add("say", { text: "hi", reply: 1, files: files("idA", "idB") });
  await settled();
  one.outbox.refuse({ cid, code: "no_file", detail: "Gone." });
  await settled();
  const [entry] = one.outbox.entries;
  assert.deepEqual([entry.failed, entry.sent, entry.fields], [undefined, undefined, { text: "hi", reply: 1, files: files("", "") }]);
  assert.equal(one.sent.length, 1);
  await bring(one, cid, "idC", "idD");
  assert.deepEqual(one.sent.map(({ cid, fields }) => [cid, fields.files[1].id]), [[cid, "idB"], [cid, "idD"]]);
  one.outbox.refuse({ cid, code: "no_file", detail: "Gone." });
  assert.equal(one.outbox.entries[0].failed, "Gone.");
});

test("whoever tries again what failed so has the files brought anew once more", async () => {
  const one = page();
  const { cid } = one.outbox.add("say", { text: "hi", files: files("idA") });
  for (const id of ["idB", "idC"]) {
    await settled();
    one.outbox.refuse({ cid, code: "no_file", detail: "Gone." });
    if (id === "idB") await bring(one, cid, id);
  }
  one.outbox.again(cid);
  await settled();
  assert.equal(one.sent.length, 3);
  one.outbox.refuse({ cid, code: "no_file", detail: "Gone." });
  assert.deepEqual(one.outbox.entries[0].fields.files, files(""));
});

test("an unanswered message with files goes again under its cid, with the same files", async () => {
  const one = page();
  one.outbox.add("say", { text: "hi", files: files("idA") });
  await settled();
  one.outbox.down(1006);
  await one.comes();
  assert.equal(one.sent.length, 2);
  assert.deepEqual(one.sent[0], one.sent[1]);
});

test("the files of a message go to another history with it", async () => {
  const one = page({ up: false });
  one.outbox.add("say", { text: "hi", reply: 1, files: files("idA") });
  one.outbox.epoch = "second";
  await one.comes();
  assert.deepEqual(Object.keys(one.sent[0].fields), ["text", "files"]);
});

test("files are released when their message is done, heard or discarded, and only then", async () => {
  const { outbox, line, released } = page();
  const ends = [
    (cid) => outbox.done({ cid, rev: 0 }),
    (cid) => outbox.heard("message", { user: "ana", cid }),
    (cid) => outbox.heard("message", { user: "ana", said: cid }),
    (cid) => outbox.discard(cid),
  ];
  for (const end of ends) {
    const { cid } = outbox.add("say", { text: "hi", files: files("idA", "idB") });
    await settled();
    outbox.refuse({ cid, code: "too_long", detail: "No." });
    outbox.again(cid);
    await settled();
    assert.deepEqual(released, []);
    end(cid);
    assert.deepEqual(released.splice(0), ["here-1", "here-2"]);
  }
  line.up = false;
  outbox.done({ cid: outbox.add("say", { text: "no files" }).cid, rev: 0 });
  assert.deepEqual(released, []);
});

// --- what earlier versions kept, and what a disk made of it

test("a message kept by 0.1.0 is sent under its cid, and after six days asked about", async () => {
  put("12345678", { text: "young", at: Date.now() - DAY });
  put("87654321", { text: "old", at: Date.now() - 7 * DAY });
  const { outbox, sent, comes } = page();
  await comes();
  assert.deepEqual(sent, [{ cid: "12345678", command: "say", fields: { text: "young" } }]);
  assert.equal(outbox.entries.find(({ cid }) => cid === "87654321").failed, "message.old");
});

test("commands kept by the version before are sent, its messages and its changes", async () => {
  const made = { epoch: "first", person: "Ana of before" };
  put("cccccccc", { command: "delete", fields: { id: 2 }, at: 3, ...made });
  put("aaaaaaaa", { command: "say", fields: { text: "hi" }, at: 1, ...made });
  put("bbbbbbbb", { command: "edit", fields: { id: 1, text: "one" }, at: 2, ...made, sent: Date.now() });
  const { outbox, sent, comes } = page();
  await comes();
  for (const cid of ["aaaaaaaa", "bbbbbbbb", "cccccccc"]) outbox.done({ cid, rev: 0 }), await settled();
  assert.deepEqual(told(sent), ["say hi", "edit one", "delete 2"]);
});

test("of damaged entries the text is shown, and nothing is sent unseen", async () => {
  localStorage.setItem("chat:/:ana:lobby:outbox:12345678", '{"command":"edit","fields":{"id":7,"text":"half of a \\"sente');
  const made = { at: 1, epoch: "first" };
  const torn = [
    null,
    {},
    { command: "say", fields: {}, ...made },
    { command: "say", fields: { id: 1 }, ...made },
    { command: "delete", fields: { id: "1" }, ...made },
    { command: "delete", fields: { id: 1, emoji: "👍" }, ...made },
    { command: "delete", fields: { id: 1 }, epoch: "first" },
    { command: "dance", fields: {}, ...made },
    { command: "ping", fields: {}, ...made },
    { command: "say", fields: { text: "", files: "cat.jpg" }, ...made },
    { command: "say", fields: { text: "", files: [null] }, ...made },
    { command: "say", fields: { text: "", files: [{ id: 1 }] }, ...made },
  ];
  for (const [n, entry] of torn.entries()) put(`nothing${n}`, entry);
  const { outbox, sent, comes } = page();
  await comes();
  assert.deepEqual(outbox.entries, []);
  salvage(outbox.storage, "message.damaged_here");
  await comes();
  assert.deepEqual(sent, []);
  assert.deepEqual(outbox.entries.map(({ command, fields, failed }) => [command, fields.text, failed]), [["say", 'half of a "sente', "message.damaged_here"]]);
  assert.equal(kept().length, 1);
});

// --- tabs

test("where there are no locks a tab waits while another sends, and reads no lock as an entry", async () => {
  const lease = "chat:/:ana:lobby:sending:lease";
  localStorage.setItem(lease, JSON.stringify(["another tab", Date.now() + 3_000]));
  const { outbox, sent } = page();
  outbox.add("say", { text: "hi" });
  await passes(2_000);
  assert.deepEqual([sent.length, outbox.entries.length], [0, 1]);
  assert.ok(localStorage.getItem(lease));
  await passes(2_000);
  assert.equal(sent.length, 1);
  assert.notEqual(localStorage.getItem(lease), null);
  assert.equal(outbox.entries.length, 1);
});

test("with a hundred commands waiting the next message is not taken", async () => {
  const { outbox } = page({ up: false });
  for (let n = 0; n < 100; n += 1) assert.ok(outbox.add("say", { text: `${n}` }));
  assert.equal(outbox.add("say", { text: "one too many" }), null);
});
