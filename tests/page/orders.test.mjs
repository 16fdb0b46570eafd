// What becomes of an order: shipped code, a line in the test's hands, a clock that the test moves.
// Run by tests/test_page_rules.py, or by hand: node --test tests/page/orders.test.mjs

import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";

import { Orders } from "../../static/js/orders.js";

beforeEach(() => mock.timers.enable({ apis: ["setTimeout"] }));
afterEach(() => mock.timers.reset());

/** Orders with a line that takes everything while it is `up`. */
function page({ up = true, on = {} } = {}) {
  const sent = [];
  const desk = { send: (name, fields) => up && Boolean(sent.push([name, fields])) };
  return { orders: new Orders({ desk, on, say: (key) => key }), on, sent };
}

const MUTE = { user: "jun", until: 5 };
const code = (expected) => (error) => error.code === expected && error instanceof Error;

test("an order goes with a cid of its own and is answered by what carries it", async () => {
  const { orders, on, sent } = page();
  const [first, second] = [orders.send("mute", MUTE), orders.send("readmit", { user: "jun" })];
  const [[name, fields], [, { cid }]] = sent;
  assert.equal(name, "mute");
  assert.deepEqual(fields, { cid: fields.cid, ...MUTE });
  assert.notEqual(fields.cid, cid);
  on.link({ cid, token: "t" });
  on.done({ cid: fields.cid, rev: 0, id: 7 });
  assert.equal((await first).id, 7);
  assert.equal((await second).token, "t");
});

test("a change with its cid answers it too", async () => {
  const { orders, on, sent } = page();
  const answer = orders.send("room", { mode: "locked" });
  on.took("settings", { cid: "another", mode: "open" }, {});
  on.took("settings", { cid: sent[0][1].cid, mode: "locked" }, {});
  assert.equal((await answer).mode, "locked");
});

test("a refusal says its code and its sentence", async () => {
  const { orders, on, sent } = page();
  const answer = orders.send("mute", MUTE);
  on.refused({ cid: sent[0][1].cid, code: "not_allowed", detail: "No." });
  await assert.rejects(answer, (error) => code("not_allowed")(error) && error.message === "No." && error.detail === "No.");
});

test("without a line nothing waits to be sent", async () => {
  const { orders, sent } = page({ up: false });
  await assert.rejects(orders.send("mute", MUTE), code("offline"));
  assert.deepEqual(sent, []);
});

test("no answer within ten seconds is said to be none, and one that comes later changes nothing", async () => {
  const { orders, on, sent } = page();
  const answer = assert.rejects(orders.send("mute", MUTE), code("late"));
  mock.timers.tick(9_999);
  mock.timers.tick(1);
  await answer;
  on.done({ cid: sent[0][1].cid, rev: 0 });
});

test("a line that ends leaves no order waiting", async () => {
  const { orders, on } = page();
  const answer = orders.send("mute", MUTE);
  on.lost(1006);
  await assert.rejects(answer, code("late"));
});

test("who listened before still hears", () => {
  const heard = [];
  const { on } = page({ on: { refused: ({ cid }) => heard.push(cid) } });
  on.refused({ cid: "x" });
  assert.deepEqual(heard, ["x"]);
});
