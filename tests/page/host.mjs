// Runs pages for the recovery machine (tests/test_recovery.py): node --experimental-vm-modules host.mjs.
// A line in is a list of things to do; the line out is {events, looks} once everything that they led
// to without time, server or network has happened.

import readline from "node:readline";

import { Clock, Disk, settled } from "./browser.mjs";
import { Tab } from "./tab.mjs";

let clock, disks, tabs, events;
let broken = null;

process.on("unhandledRejection", (error) => (broken ??= error));

const ACTIONS = {
  /** All tabs and disks are gone; it is `now`. */
  begin: ({ now }) => {
    clock = new Clock(now);
    [disks, tabs] = [new Map(), new Map()];
  },
  open: async ({ page, ...setup }) => {
    tabs.get(setup.tab)?.close();
    if (!disks.has(setup.disk)) disks.set(setup.disk, new Disk());
    const tell = (event) => events.push(event);
    const tab = new Tab(setup, { clock, disk: disks.get(setup.disk), tell });
    tabs.set(setup.tab, tab);
    await tab.open(page);
  },
  opened: ({ tab, socket }) => tabs.get(tab).opened(socket),
  hear: ({ tab, socket, frames }) => tabs.get(tab).hear(socket, frames),
  closed: ({ tab, socket, code }) => tabs.get(tab).closed(socket, code),
  answer: ({ tab, request, status, text }) => tabs.get(tab).answer(request, status, text),
  uploaded: ({ tab, upload, answer }) => tabs.get(tab).posts[upload](answer),
  add: ({ tab, command, fields }) => {
    const { cid } = tabs.get(tab).outbox.add(command, fields);
    events.push({ tab, what: "added", cid });
  },
  again: ({ tab, cid }) => tabs.get(tab).outbox.again(cid),
  discard: ({ tab, cid }) => tabs.get(tab).outbox.discard(cid),
  load: ({ tab, query }) => tabs.get(tab).load(query),
  trim: ({ tab, from, to }) => tabs.get(tab).log.trim(from, to ?? Infinity),
  place: ({ tab, query }) => (tabs.get(tab).place = query),
  read: ({ tab, id, back }) => tabs.get(tab).readTo(id, back),
  retry: ({ tab }) => tabs.get(tab).desk.connection.retry(),
  pass: ({ time }) => clock.pass(time),
  sleep: ({ time }) => clock.sleep(time),
};

async function carryOut(actions) {
  events = [];
  for (const { action, ...fields } of actions) {
    await ACTIONS[action](fields);
    await settled();
    for (const disk of disks.values()) await disk.spread();
    if (broken) throw broken;
  }
  const looks = [...tabs].map(([name, tab]) => [name, tab.look()]).filter(([, look]) => look);
  return { events, looks: Object.fromEntries(looks) };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = await carryOut(JSON.parse(line));
  } catch (error) {
    answer = { error: String(error?.stack ?? error) };
    broken = null;
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
