// One tab with the scripts that are shipped: each has modules and globals of its own, as in a browser.

import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

import { globals, settled } from "./browser.mjs";

const SCRIPTS = new URL("../../static/js/", import.meta.url);
const PARTS = `
  export { Desk } from "./desk.js";
  export { Log } from "./log.js";
  export { Outbox } from "./outbox.js";
  export { PersonStorage } from "./storage.js";
  export { decodePage } from "./protocol.js";
  export { Uploads } from "./uploads.js";
`;
const MOST = 40; // characters of a text that are reported

/** The text of a script, with the planted bug: {file, old, new}; the old text must stand there once. */
function source(file, bugs) {
  let text = file === "page.js" ? PARTS : fs.readFileSync(new URL(file, SCRIPTS), "utf8");
  for (const bug of bugs.filter((bug) => bug.file === file)) {
    const pieces = text.split(bug.old);
    if (pieces.length !== 2) throw new Error(`not once in ${file}: ${bug.old}`);
    text = pieces.join(bug.new);
  }
  return text;
}

async function load(context, bugs) {
  const modules = new Map();
  const module = (file) => {
    if (!modules.has(file)) {
      modules.set(file, new vm.SourceTextModule(source(file, bugs), { context, identifier: file }));
    }
    return modules.get(file);
  };
  const page = module("page.js");
  await page.link((specifier) => module(path.normalize(specifier)));
  await page.evaluate();
  return page.namespace;
}

const short = (fields) => (fields.text?.length > MOST ? { ...fields, text: fields.text.slice(0, MOST) } : fields);

/** Of a message that is answered, what its quote shows; null: it is not known. */
const quoted = (message) => message && short({ ...message });

/** `setup`: {tab, life, disk, user, room, locks, bugs}; `life` counts the reloads. */
export class Tab {
  sockets = [];
  requests = [];
  posts = []; // uploads that were begun: each takes its answer
  place = {}; // what is loaded first when what was held is worthless
  read = null; // how far this person has read, as the page knows it
  counts = null; // what is new in this room, as it was told
  #greeted = true; // false from a `welcome` until the mark that comes after it
  #seen = "";

  constructor(setup, world) {
    Object.assign(this, { name: setup.tab, life: setup.life, setup, world });
    this.tell = (event) => world.tell({ tab: this.name, life: this.life, ...event });
  }

  /** Opens the page; `page` is what the server said the newest messages are, or null. */
  async open(page) {
    const { user, room, locks, bugs } = this.setup;
    const { clock, disk } = this.world;
    disk.tabs.add(this);
    const context = vm.createContext(globals(this, { clock, disk, locks, tell: this.tell }));
    const { Desk, Log, Outbox, PersonStorage, Uploads, decodePage } = await load(context, bugs);
    this.storage = new PersonStorage(`/:${user}`);
    const outbox = (this.outbox = new Outbox({
      storage: this.storage,
      room,
      you: { user, name: user },
      say: (key) => key,
      line: {
        carries: () => true,
        send: (entry) => this.desk.carry(entry),
        silent: () => this.desk.connection.restart(),
      },
      changed: () => this.uploads.flush(),
      returned: ({ cid }, detail) => this.tell({ what: "returned", cid, detail }),
      released: (files) => this.uploads.release(files),
    }));
    this.uploads = new Uploads({
      storage: this.storage,
      shelf: { get: async (local) => ({ blob: local }), remove: async () => {} },
      say: (key) => key,
      outbox: () => outbox,
      address: () => "",
      online: () => Boolean(this.desk?.connection.online),
      post: (_, local, { signal }) => this.#post(local, signal),
      moved: () => {},
      tell: () => {},
    });
    const boot = page && decodePage(page);
    const cursor = boot && { epoch: boot.epoch, rev: boot.head };
    const log = (this.log = new Log(boot ? { epoch: boot.epoch, head: boot.head } : { epoch: null, head: 0 }));
    if (boot) {
      outbox.epoch = boot.epoch;
      const messages = boot.changes.filter(([name]) => name === "message").map(([, fields]) => fields);
      log.begin(messages, !boot.more);
      for (const change of boot.changes) this.#known(...change);
      outbox.level(boot.head);
    }
    const on = {
      place: () => this.place,
      state: () => this.uploads.flush(),
      welcome: () => (this.#greeted = false),
      read: (mark) => this.#marked(mark),
      rooms: ({ rooms }) => (this.counts = rooms.find(({ room: name }) => name === room) ?? this.counts),
    };
    const [socket, pages] = [`ws://server/r/${room}/ws`, `http://server/r/${room}/messages`];
    this.desk = new Desk({ socket, pages, cursor, you: { user, name: user }, log, outbox, on });
    this.desk.open();
    await settled();
  }

  #post(local, signal) {
    return new Promise((answer) => {
      this.posts.push(answer);
      signal.addEventListener("abort", () => answer({ status: 0 }));
      this.tell({ what: "uploads", upload: this.posts.length - 1 });
    });
  }

  #known(name, fields) {
    if (name !== "message") this.log.take(name, fields);
    this.outbox.heard(name, fields);
  }

  close() {
    this.world.clock.forget(this);
    for (const socket of this.sockets) {
      socket.onmessage = socket.onclose = null;
      socket.close();
    }
    this.world.disk.leave(this);
  }

  /** Another tab of this browser wrote. */
  stored(key, text) {
    const own = this.storage.own(key);
    if (own !== null) this.outbox.stored(own, text);
  }

  opened(number) {
    this.sockets[number].readyState = 1;
    this.sockets[number].onopen?.({});
  }

  async hear(number, frames) {
    const socket = this.sockets[number];
    for (const data of frames) {
      if (socket.readyState === 1) socket.onmessage?.({ data });
      await settled();
      await this.world.disk.spread();
    }
  }

  closed(number, code) {
    const socket = this.sockets[number];
    socket.readyState = 3;
    socket.onclose?.({ code });
  }

  /** A request is answered; without a status, nothing comes back. */
  answer(number, status, text) {
    const { resolve, reject } = this.requests[number];
    if (!status) return reject(new TypeError("Failed to fetch"));
    resolve({ ok: status < 300, status, text: async () => text, json: async () => JSON.parse(text) });
  }

  load(query) {
    this.desk.load(query).catch(() => {});
  }

  /** The person has read on, or wants to read on from here (reading.js, which is made of DOM). */
  readTo(id, back) {
    if (!this.desk.send("read", { id, ...(back && { back }) })) return;
    this.read = back ? id : Math.max(this.read, id);
  }

  /** What is behind is old news, unless somebody wants it so or it is the first on a line. */
  #marked({ id, back }) {
    if (back || !this.#greeted || id > this.read) this.read = id;
    this.#greeted = true;
  }

  /** What the page has come to, if that is something else than when it was last asked. */
  look() {
    const { log, outbox } = this;
    const { state, cursor } = this.desk.connection;
    const told = {
      state,
      cursor,
      epoch: log.epoch,
      level: log.level,
      from: log.from,
      to: log.to === Infinity ? null : log.to,
      messages: log.messages.map((message) => ({ ...short(message), reactions: log.reactions(message.id) })),
      quoted: log.messages.filter(({ reply }) => reply).map(({ id, reply }) => [id, quoted(log.message(reply))]),
      settings: log.settings,
      read: this.read,
      counts: this.counts,
      entries: outbox.entries.map((entry) => ({ ...entry, fields: short(entry.fields) })),
    };
    const text = JSON.stringify(told);
    if (text === this.#seen) return undefined;
    this.#seen = text;
    return told;
  }
}
