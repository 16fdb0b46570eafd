// How files that wait get to the server: shipped code, a disk and a shelf that are Maps, a server that
// is the test, and its clock.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { Outbox } from "../../static/js/outbox.js";
import { PersonStorage } from "../../static/js/storage.js";
import { Uploads } from "../../static/js/uploads.js";
import { begin, Locks, passes, settled } from "./disk.mjs";

const NOTHING = { status: 0 }; // no answer
const taken = (id) => ({ status: 200, file: { id, name: "as the server likes it" } });
const refused = (status, code, more) => ({ status, code, detail: `${code}!`, ...more });

beforeEach(begin);

const shelf = new Map();

/** A tab; `requests` are those it made: {address, text, answer(what), moved(bytes), ended}. */
function tab({ up = true } = {}) {
  const storage = new PersonStorage("chat:/:ana");
  let told;
  const line = { up };
  const requests = [];
  const moves = [];
  const make = (room) => {
    const sent = [];
    const outbox = new Outbox({
      storage,
      room,
      you: { user: "ana" },
      say: (key) => key,
      line: { carries: () => true, send: ({ cid }) => line.up && Boolean(sent.push(cid)), silent: () => {} },
      changed: () => uploads.flush(),
      returned: () => {},
      released: (files) => uploads.release(files),
    });
    outbox.epoch = "first";
    return Object.assign(outbox, { sent });
  };
  const rooms = new Map();
  const outboxOf = (room) => rooms.get(room) ?? rooms.set(room, make(room)).get(room);
  const uploads = new Uploads({
    storage,
    shelf: {
      get: async (local) => shelf.get(local),
      remove: async (local) => shelf.delete(local),
    },
    say: (key, { name } = {}) => [key, name].filter(Boolean).join(" "),
    outbox: outboxOf,
    address: (room) => `/r/${room}`,
    online: () => line.up,
    post: (address, text, { moved, signal }) =>
      new Promise((answer) => {
        const request = { address, text, moved, answer: (what) => (answer(what), settled()), ended: false };
        signal.addEventListener("abort", () => ((request.ended = true), answer(NOTHING)));
        requests.push(request);
      }),
    moved: ({ cid }) => moves.push(cid),
    tell: (news) => (told = news),
  });
  const say = (name, ...contents) => {
    const files = contents.map((text, n) => ({ local: `${name}-${n}`, name: `${text}.txt`, type: "text/plain", size: text.length }));
    for (const [n, text] of contents.entries()) shelf.set(`${name}-${n}`, { blob: text });
    return outboxOf("lobby").add("say", { text: name, files });
  };
  const turn = async (up) => ((line.up = up), uploads.flush(), up ? outboxOf("lobby").live() : outboxOf("lobby").down(1006), settled());
  return { uploads, outbox: outboxOf("lobby"), outboxOf, requests, moves, say, turn, told: () => told, texts: () => requests.map(({ text }) => text) };
}

const ids = (outbox, n = 0) => outbox.entries[n].fields.files.map(({ id }) => id);

test("each file is brought to its room by its name, and its message goes with what the server calls them", async () => {
  const { outbox, requests, say } = tab();
  const { cid } = say("two", "one & only", "other");
  await settled();
  assert.deepEqual(requests.map(({ address }) => address), ["/r/lobby/files?name=one+%26+only.txt", "/r/lobby/files?name=other.txt"]);
  await requests[1].answer(taken("idB"));
  assert.deepEqual([ids(outbox), outbox.sent], [[undefined, "idB"], []]);
  await requests[0].answer(taken("idA"));
  assert.deepEqual([ids(outbox), outbox.sent], [["idA", "idB"], [cid]]);
});

test("two are on their way at once, in the order in which their messages were made", async () => {
  const { requests, say, texts } = tab();
  say("first", "a", "b", "c");
  say("second", "d");
  await settled();
  assert.deepEqual(texts(), ["a", "b"]);
  for (const [n, expected] of ["abc", "abcd", "abcd"].entries()) {
    await requests[n].answer(taken(`id${n}`));
    assert.equal(texts().join(""), expected);
  }
});

test("files of other rooms go to those", async () => {
  const { outboxOf, requests, say, turn } = tab({ up: false });
  shelf.set("away", { blob: "elsewhere" });
  outboxOf("garden").add("say", { text: "", files: [{ local: "away", name: "x", size: 1 }] });
  say("here", "here");
  await turn(true);
  assert.deepEqual(requests.map(({ address }) => address), ["/r/garden/files?name=x", "/r/lobby/files?name=here.txt"]);
  await requests[0].answer(taken("idA"));
  assert.deepEqual(outboxOf("garden").sent, [outboxOf("garden").entries[0].cid]);
});

test("without a line nothing is tried, and with it what waited goes", async () => {
  const { requests, say, turn, texts } = tab({ up: false });
  say("waits", "a");
  await passes(60_000);
  assert.equal(requests.length, 0);
  await turn(true);
  assert.deepEqual(texts(), ["a"]);
});

test("what a lost line cut in the middle goes again from its beginning, and its message once", async () => {
  const { outbox, requests, say, turn } = tab();
  const { cid } = say("cut", "a");
  for (let n = 0; n < 5; n += 1) {
    await settled();
    await turn(false);
    await requests[n].answer(NOTHING);
    await turn(true);
    assert.equal(requests.length, n + 2);
  }
  await requests[5].answer(taken("idA"));
  assert.deepEqual(outbox.sent, [cid]);
});

test("what hangs on a line that is no more is left when there is another, and what moves is not", async () => {
  const { requests, say, turn } = tab();
  say("hangs", "dead", "alive");
  await settled();
  await turn(false);
  await passes(1_000);
  requests[1].moved(1);
  await turn(true);
  await passes(3_000);
  assert.deepEqual(requests.map(({ text, ended }) => [text, ended]), [["dead", true], ["alive", false], ["dead", false]]);
});

test("what breaks off while the line is up is tried three times, each time later, and then has failed", async () => {
  const { outbox, requests, say } = tab();
  const { cid } = say("breaks", "a");
  await settled();
  for (const [n, answer] of [NOTHING, refused(408, "too_slow"), { status: 502 }].entries()) {
    assert.equal(requests.length, n + 1);
    await requests[n].answer(answer);
    await passes(1_000);
    assert.equal(requests.length, n + 1);
    await passes(4_000);
  }
  assert.equal(outbox.entries[0].failed, "upload.broken a.txt");
  outbox.again(cid);
  await settled();
  assert.equal(requests.length, 4);
});

test("a refusal for now is counted down in the row, and the file goes when it is over", async () => {
  const { outbox, requests, say } = tab();
  say("soon", "a");
  await settled();
  await requests[0].answer(refused(429, "slow_down", { retry: 3_000 }));
  assert.deepEqual([outbox.entries[0].retryAt - Date.now(), outbox.entries[0].detail], [3_000, "slow_down!"]);
  await passes(2_000);
  assert.equal(requests.length, 1);
  await passes(1_000);
  assert.equal(requests.length, 2);
});

test("a refusal for good fails the message with its sentence, and nothing else", async () => {
  const { outbox, requests, say } = tab();
  say("much", "a");
  const { cid } = say("little", "b");
  await settled();
  await requests[0].answer(refused(413, "quota"));
  await requests[1].answer(taken("idB"));
  assert.deepEqual(outbox.entries.map(({ failed }) => failed), ["quota!", undefined]);
  assert.deepEqual(outbox.sent, [cid]);
  await passes(60_000);
  assert.equal(requests.length, 2);
});

test("a proxy that takes no file that large is told from the server", async () => {
  for (const answer of [{ status: 413 }, refused(413, "413")]) {
    const { outbox, requests, say } = tab();
    const { cid } = say("large", "a");
    await settled();
    await requests[0].answer(answer);
    assert.equal(outbox.entries[0].failed, "upload.proxy");
    outbox.discard(cid);
  }
});

test("a file that is not in this browser any more fails its message, whose text stays", async () => {
  const { outbox, requests, say, turn } = tab({ up: false });
  say("lost", "a");
  shelf.delete("lost-0");
  await turn(true);
  assert.equal(requests.length, 0);
  assert.deepEqual([outbox.entries[0].failed, outbox.entries[0].fields.text], ["upload.lost a.txt", "lost"]);
});

test("what is taken back is no longer sent, and makes way for others", async () => {
  const { outbox, requests, say, texts } = tab();
  const { cid } = say("first", "a", "b");
  say("second", "c");
  await settled();
  outbox.discard(cid);
  await settled();
  assert.deepEqual(requests.map(({ ended }) => ended), [true, true, false]);
  assert.deepEqual(texts(), ["a", "b", "c"]);
  assert.equal(outbox.entries.length, 1);
});

test("what is taken back while its file is looked for is not sent at all", async () => {
  const { outbox, texts, say } = tab();
  const { cid } = say("unwanted", "a");
  outbox.discard(cid);
  say("wanted", "b");
  await settled();
  assert.deepEqual(texts(), ["b"]);
});

test("a file that the server has no more is brought once more, and then its message has failed", async () => {
  const { outbox, requests, say } = tab();
  const { cid } = say("gone", "a");
  await settled();
  for (const id of ["idA", "idB"]) {
    await requests.at(-1).answer(taken(id));
    assert.deepEqual(ids(outbox), [id]);
    outbox.refuse({ cid, code: "no_file", detail: "Gone." });
    await settled();
  }
  assert.deepEqual([requests.length, outbox.sent, outbox.entries[0].failed], [2, [cid, cid], "Gone."]);
});

test("the files of a message leave the shelf when it is done, but not what went back into a draft", async () => {
  const { outbox, requests, say } = tab();
  const { cid } = say("done", "a", "b");
  await settled();
  for (const request of requests) await request.answer(taken("id"));
  assert.ok(shelf.has("done-0") && shelf.has("done-1"));
  localStorage.setItem("chat:/:ana:lobby:files", JSON.stringify([{ local: "done-1" }]));
  outbox.done({ cid, rev: 5 });
  await settled();
  assert.deepEqual([outbox.entries.length, shelf.has("done-0"), shelf.has("done-1")], [1, false, true]);
});

test("the files of a message that goes as new stay on the shelf", async () => {
  const { outbox, requests, say, turn } = tab();
  const { cid } = say("old", "a");
  await settled();
  await requests[0].answer(taken("idA"));
  await turn(false);
  mock.timers.setTime(Date.now() + 7 * 24 * 3_600_000);
  await turn(true);
  assert.equal(outbox.entries[0].failed, "message.old");
  outbox.again(cid);
  await settled();
  assert.deepEqual([outbox.sent.length, outbox.sent[1] !== cid, shelf.has("old-0")], [2, true, true]);
});

test("how much has gone is counted over all files of a message, in every tab", async () => {
  const { uploads, outbox, requests, moves, say, told } = tab();
  const other = tab();
  const { cid } = say("part", "12345678", "12");
  await settled();
  requests[0].moved(4);
  assert.deepEqual([uploads.part(outbox.entries[0]), moves], [0.4, [cid]]);
  other.uploads.heard(told());
  assert.deepEqual([other.uploads.part(outbox.entries[0]), other.moves], [0.4, [cid]]);
  await requests[1].answer(taken("idB"));
  assert.equal(uploads.part(outbox.entries[0]), 0.6);
  assert.equal(uploads.part({ fields: { files: [{ local: "x", size: 0 }] } }), 0);
});

test("one tab at a time brings them, and when it is gone the next one does", async () => {
  navigator.locks = new Locks();
  const [one, two] = [tab(), tab()];
  const { cid } = one.say("shared", "a");
  two.uploads.flush();
  await settled();
  assert.deepEqual([one.requests.length, two.requests.length], [1, 0]);
  navigator.locks.close();
  await settled();
  await two.requests[0].answer(taken("idA"));
  assert.deepEqual([two.outbox.sent, ids(two.outbox)], [[cid], ["idA"]]);
});

test("where there are no locks a tab looks again when the other may be gone", async () => {
  localStorage.setItem("chat:/:ana:uploading:lease", JSON.stringify(["another tab", Date.now() + 3_000]));
  const { requests, say } = tab();
  say("later", "a");
  await passes(2_000);
  assert.equal(requests.length, 0);
  await passes(2_000);
  assert.equal(requests.length, 1);
});
