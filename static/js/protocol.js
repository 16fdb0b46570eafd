// The wire, as chat/wire/protocol.py defines it: a test holds the two equal. The only module that
// knows how a frame is tagged; everybody else speaks of names and fields.

export const COMMANDS = {
  say: ["cid", "text", "reply"],
  edit: ["cid", "id", "text"],
  delete: ["cid", "id"],
  react: ["cid", "id", "emoji", "on"],
  room: ["cid", "topic"],
  typing: ["stopped"],
  read: ["id", "back"],
  read_all: [],
  leave: ["room"],
  keep: ["key", "value"],
  appear: ["here"],
  ping: [],
};

export const CHANGES = {
  message: ["rev", "id", "user", "name", "color", "at", "text", "cid", "said", "edited", "damaged", "reply", "mentions"],
  reaction: ["rev", "id", "user", "name", "emoji", "on", "cid"],
  gone: ["rev", "from", "to", "user", "cid"],
  settings: ["rev", "topic", "by", "cid"],
};

/** The events that are not kept. All others are changes, also those of a kind not known here. */
export const PASSING = new Set([
  ...["welcome", "live", "jump", "people", "typing", "read", "rooms", "kept"],
  ...["done", "refused", "beat", "pong", "bye"],
]);

/** Close codes, each with what the page does. */
export const CLOSE = {
  NORMAL: 1000, // nothing: the page left
  GOING_AWAY: 1001, // come back within 3 s, with jitter
  PROTOCOL_ERROR: 1002, // come back with backoff
  BAD_DATA: 1007, // come back with backoff
  POLICY: 1008, // come back after 30 s
  TOO_BIG: 1009, // come back, but do not send that message again
  INTERNAL_ERROR: 1011, // come back with backoff
  RESTART: 1012, // come back within 3 s, with jitter
  REMOVED: 4001, // do not come back
  SIGNED_OUT: 4002, // go to the join page
  REPLACED: 4010, // stop, offer a button
};

/** The frame for a command. Throws for a command or a field the server would refuse. */
export function encode(name, fields = {}) {
  const known = COMMANDS[name];
  const wrong = Object.keys(fields).find((field) => !known.includes(field));
  if (wrong) throw new TypeError(`${name} has no field ${wrong}`);
  return JSON.stringify({ type: name, ...fields });
}

/** The event in a frame as [name, fields]; the name is null for one this page does not know yet. */
export const decode = (frame) => named(JSON.parse(frame));

/** A page of history: {room, epoch, head, changes, more}, each change as from `decode`. */
export function decodePage(text) {
  const page = JSON.parse(text);
  return { ...page, changes: page.changes.map(named) };
}

/** The event that came as this object, as from `decode`. */
export function named({ type: name, ...fields }) {
  return [PASSING.has(name) || Object.hasOwn(CHANGES, name) ? name : null, fields];
}
