// The model: what is known of one room's log, and which part of it is loaded. Keeps the newest state
// of every thing it is told of, shown or not, loaded or not: a page of history is old news, and what
// the line said meanwhile is newer. Knows no DOM, no timers and no sockets.

/** Does a state take the place of `old`? That of a damaged message never that of a sound one: its rev
 *  may be anything. */
function supersedes(state, old) {
  if (!old) return true;
  return Boolean(state.damaged) === Boolean(old.damaged) ? state.rev > old.rev : !state.damaged;
}

/** What tells a thing from the others of its kind, about the same message or in the room. */
export const KEYS = {
  message: () => "",
  reaction: ({ user, emoji }) => `${user} ${emoji}`,
  gone: ({ rev }) => rev,
  settings: () => "",
};

export class Log {
  level = true; // false from `afresh` until the first page after it
  from; // ids from here to there are loaded, without a hole: 0 is the beginning,
  to = Infinity; // Infinity the present
  #things = new Map(); // id of a message, 0 for the room -> Map of kind and key -> newest state
  #gone = []; // nothing enters that one of these covers
  #life = 0; // a page asked for in another is thrown away
  #underWay = 0; // pages asked for
  #dropped = new Set(); // ids to be forgotten when no page is under way

  /** `head`: the rev up to which everything is known or in pages; `settings`: the room's. */
  constructor({ epoch, head, settings }) {
    Object.assign(this, { epoch, from: head + 1 });
    if (settings) this.#learn("settings", settings);
  }

  /** The messages that are there to begin with; `start`: there are no older ones. */
  begin(messages, start) {
    for (const message of messages) this.#learn("message", message);
    this.from = start ? 0 : (messages[0]?.id ?? this.from);
  }

  /** A change: {changed: ids of messages that are others now, gone: ids of those that are no more}. */
  take(name, fields) {
    if (!this.#learn(name, fields)) return { changed: [], gone: [] };
    if (name === "gone") return { changed: [], gone: this.#remove(fields) };
    return { changed: fields.id ? [fields.id] : [], gone: [] };
  }

  /** A message as it is by now. */
  message(id) {
    return this.#things.get(id)?.get("message ");
  }

  /** What is loaded, oldest first. */
  get messages() {
    const all = [...this.#things.keys()].sort((one, other) => one - other);
    return all.flatMap((id) => (this.covers(id) && this.message(id)) || []);
  }

  /** The reactions to a message, in the order they came. */
  reactions(id) {
    if (!this.message(id)) return [];
    const on = [...this.#things.get(id)].flatMap(([key, state]) => (/^reaction /.test(key) && state.on ? state : []));
    return on.sort((one, other) => one.rev - other.rev);
  }

  /** {rev, topic, by?}, or null if they are not known. */
  get settings() {
    return this.#things.get(0)?.get("settings ") ?? null;
  }

  /** Is a message with this id among what is loaded? */
  covers(id) {
    return this.from <= id && id <= this.to;
  }

  /** Everything up to `head` is to be loaded anew: what is held is too old to be of use. */
  afresh(epoch, head, settings) {
    this.#things.clear();
    this.#dropped.clear();
    this.#gone = [];
    this.#life += 1;
    Object.assign(this, { epoch, level: false, from: head + 1, to: Infinity });
    this.#learn("settings", { rev: 0, ...settings });
  }

  /** Rows beyond these ids were dropped: they are loaded no longer. */
  trim(from, to) {
    const loaded = this.messages;
    this.from = Math.max(this.from, from);
    this.to = Math.min(this.to, to);
    for (const { id } of loaded) if (!this.covers(id)) this.#dropped.add(id);
    this.#forget();
  }

  // --- pages

  /** To be taken before a page is asked for: `query` is {} (the newest), {before}, {after}, {around} or {ids}. */
  ask(query) {
    this.#underWay += 1;
    return { query, life: this.#life };
  }

  /**
   * Takes in the page that was asked for; without one, none came. Null if it is of no use by now,
   * else {messages, replaced, first, more}: what is loaded because of it, oldest first, as it is by
   * now; whether only that is loaded now, and whether it is the first page after `afresh`.
   */
  merge(ticket, page) {
    const merged = this.#holds(ticket, page) ? this.#merge(ticket.query, page) : null;
    this.#underWay -= 1;
    this.#forget();
    return merged;
  }

  /** The messages of a page that are not gone by now, wherever it belongs. */
  living(ticket, page) {
    const messages = page.changes.flatMap(([name, fields]) => (name === "message" ? fields : []));
    return this.#holds(ticket, page) ? messages.filter(({ id, user }) => !this.#covered(id, user)) : [];
  }

  #holds({ life }, page) {
    return page && life === this.#life && page.epoch === this.epoch;
  }

  #merge(query, { changes, more }) {
    if (query.ids) return this.#know(changes);
    const ids = changes.flatMap(([name, fields]) => (name === "message" ? [fields.id] : []));
    const [from, to] = this.#span(query, ids, more);
    const replaced = !(query.before || query.after !== undefined);
    const adjoins = this.level && from <= this.to + 1 && to >= this.from - 1;
    if (!replaced && !adjoins) return null;
    for (const [name, fields] of changes) this.take(name, fields);
    if (query.around && !(ids.includes(query.around) && this.message(query.around))) return null;
    const [had, first] = [[this.from, this.to], replaced && !this.level];
    if (replaced) Object.assign(this, { from, to, level: true });
    else [this.from, this.to] = [Math.min(this.from, from), Math.max(this.to, to)];
    const fresh = ({ id }) => replaced || id < had[0] || id > had[1];
    return { messages: this.messages.filter(fresh), replaced, first, more };
  }

  /** What is said about single messages is known from now on, but no more is loaded. */
  #know(changes) {
    for (const [name, fields] of changes) this.take(name, fields);
    return { messages: [] };
  }

  /** From which id to which a page says all there is. */
  #span({ before, after, around }, ids, more) {
    if (after !== undefined) return [after + 1, more ? ids.at(-1) : Infinity];
    const from = more ? ids[0] : 0;
    if (before) return [from, before - 1];
    const whole = !around || (this.level && this.to === Infinity && !(this.messages.at(-1)?.id > ids.at(-1)));
    return [from, whole ? Infinity : ids.at(-1)];
  }

  // --- states

  #covered(id, author) {
    return this.#gone.some((gone) => covers(gone, id, author));
  }

  /** True if it is news. */
  #learn(name, fields) {
    const { id = 0, user } = fields;
    const author = name === "message" ? user : this.message(id)?.user;
    if (!Object.hasOwn(KEYS, name) || (id && this.#covered(id, author))) return false;
    if (!this.#things.has(id)) this.#things.set(id, new Map());
    const about = this.#things.get(id);
    const key = `${name} ${KEYS[name](fields)}`;
    if (!supersedes(fields, about.get(key))) return false;
    about.set(key, fields);
    return true;
  }

  #remove(gone) {
    this.#gone.push(gone);
    const ids = [...this.#things.keys()].filter((id) => this.message(id) && covers(gone, id, this.message(id).user));
    for (const id of ids) this.#things.delete(id);
    return ids;
  }

  /** What was dropped goes, unless a page under way may bring back what it was before, or something
   *  loaded answers it. */
  #forget() {
    if (this.#underWay > 0 || this.#dropped.size === 0) return;
    const answered = new Set(this.messages.map(({ reply }) => reply));
    for (const id of this.#dropped) {
      if (answered.has(id)) continue;
      if (!this.covers(id)) this.#things.delete(id);
      this.#dropped.delete(id);
    }
  }
}

function covers({ from, to, user }, id, author) {
  return from <= id && id <= to && (user === undefined || user === author);
}
