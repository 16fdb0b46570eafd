// The wire, as chat/wire/ defines it: a test holds the two equal. Only here frames are tagged;
// everybody else speaks of names and fields.

/** What may be said, without the orders (orders.js). */
export const COMMANDS = {
  say: ["cid", "text", "reply", "files"],
  edit: ["cid", "id", "text"],
  delete: ["cid", "id"],
  react: ["cid", "id", "emoji", "on"],
  room: ["cid", "topic", "mode", "slow", "private", "keep"],
  typing: ["stopped"],
  read: ["id", "back"],
  read_all: ["room"],
  leave: ["room"],
  keep: ["key", "value"],
  appear: ["here"],
  ping: [],
};

export const CHANGES = {
  message: ["rev", "id", "user", "name", "color", "at", "text", "cid", "said", "edited", "damaged", "reply", "mentions", "files", "bot"],
  reaction: ["rev", "id", "user", "name", "emoji", "on", "cid"],
  gone: ["rev", "from", "to", "user", "cid"],
  settings: ["rev", "topic", "by", "cid", "mode", "slow", "private", "keep"],
};

/** The events that are not kept: all others are changes, known here or not. */
export const PASSING = new Set([
  ...["welcome", "live", "jump", "people", "typing", "read", "rooms", "kept"],
  ...["done", "refused", "beat", "pong", "bye", "standing", "link", "device"],
]);

/** The close codes that are told apart (docs/protocol.md). */
export const CLOSE = {
  GOING_AWAY: 1001,
  POLICY: 1008,
  TOO_BIG: 1009,
  RESTART: 1012,
  REMOVED: 4001,
  SIGNED_OUT: 4002,
  REPLACED: 4010,
};

/** The frame for a command. Throws for a field the server would refuse. */
export function encode(name, fields = {}) {
  const known = COMMANDS[name];
  const wrong = Object.keys(fields).find((field) => !known.includes(field));
  if (wrong) throw new TypeError(`${name} has no field ${wrong}`);
  return JSON.stringify({ type: name, ...fields });
}

/** The event in a frame as [name, fields]; the name of one not known here is null. */
export const decode = (frame) => named(JSON.parse(frame));

/** A page of history, each of its changes as from `decode`. */
export function decodePage(text) {
  const page = JSON.parse(text);
  return { ...page, changes: page.changes.map(named) };
}

export function named({ type: name, ...fields }) {
  return [PASSING.has(name) || Object.hasOwn(CHANGES, name) ? name : null, fields];
}
