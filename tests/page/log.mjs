// Drives static/js/log.js: a line of steps in, a line with what the log holds after them out.

import { createInterface } from "node:readline";
import { KEYS, Log } from "../../static/js/log.js";
import { CHANGES } from "../../static/js/protocol.js";

function run(steps) {
  let log = null;
  const tickets = new Map();
  const acts = {
    new: (known) => void (log = new Log(known)),
    begin: (messages, start) => log.begin(messages, start),
    take: (name, fields) => log.take(name, fields),
    ask: (name, query) => void tickets.set(name, log.ask(query)),
    merge: (name, page) => log.merge(tickets.get(name), page),
    trim: (from, to) => log.trim(from, to),
    afresh: (epoch, head, settings) => log.afresh(epoch, head, settings),
    message: (id) => log.message(id),
    kinds: () => [Object.keys(KEYS), Object.keys(CHANGES)],
  };
  const said = steps.map(([act, ...given]) => acts[act](...given) ?? null);
  const { from, to, level, settings, messages } = log;
  const reactions = messages.map(({ id }) => log.reactions(id));
  return { said, from, to: to === Infinity ? null : to, level, settings, messages, reactions };
}

for await (const line of createInterface({ input: process.stdin })) {
  console.log(JSON.stringify(run(JSON.parse(line))));
}
