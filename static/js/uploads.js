// Owns how the files of messages that wait in this browser get to the server, in all rooms: one tab
// at a time brings them, and writes into their entry what the server calls them. Then the message can
// go. Knows no DOM and no line.

import { alone, filesOf, roomOf } from "./entries.js";

const AT_ONCE = 2; // the server takes no more of one person
const TRIES = 3; // broken off while the line was up before the message counts as failed
const AGAIN = 2_000; // ms until what broke off is tried again, and twice as long the next time
const TOO_LARGE = 413; // HTTP
// Codes of a bad moment; of "sign_in" the line is about to hear itself.
const BROKEN = ["too_slow", "failed", "busy", "closing", "sign_in"];

export class Uploads {
  #running = new Map(); // local -> {room, cid, bytes, at, stop}
  #others = new Map(); // local -> bytes that another tab has sent
  #rests = new Map(); // local -> {tries, until} of what broke off
  #lost = 0; // when the line went
  #working = false;
  #more = false; // asked to flush while working
  #wake = () => {};
  #timer = 0;

  /**
   * `shelf` holds the files by `local`; `outbox(room)` is what a message waits in, `address(room)` takes
   * its files; `online()`: is there a line? `post` sends one (post.js); `moved(entry)` hears that more
   * of a message's files has gone, `tell(news)` carries that to the `heard` of other tabs.
   */
  constructor({ storage, shelf, say, outbox, address, online, post, moved, tell }) {
    Object.assign(this, { storage, shelf, say, outbox, address, online, post, moved, tell });
  }

  /** What waits, or the line, may be another: begins what can be begun, ends what is not wanted. */
  flush() {
    this.#heed(this.online());
    for (const { room, cid, stop } of this.#running.values()) if (!this.outbox(room).kept.find(cid)) stop.abort();
    this.#more = true;
    this.#wake();
    if (!this.#working && this.online() && this.#tasks.length > 0) this.#work();
  }

  /** How much of an entry's files is on the server, from 0 to 1. */
  part(entry) {
    const files = filesOf(entry);
    const sum = (sizes) => sizes.reduce((all, size) => all + size, 0);
    const sent = (local) => this.#running.get(local)?.bytes ?? this.#others.get(local) ?? 0;
    const gone = files.map(({ id, local, size }) => (id ? size : sent(local)));
    return Math.min(sum(gone) / Math.max(sum(files.map(({ size }) => size)), 1), 1);
  }

  /** Another tab has sent so much of a file. */
  heard({ room, cid, local, bytes }) {
    this.#others.set(local, bytes);
    this.#show(room, cid);
  }

  #show(room, cid) {
    const entry = this.outbox(room).kept.find(cid);
    if (entry) this.moved(entry);
  }

  /** These wait for nothing any more: they leave the shelf, unless they are in a message or a draft. */
  release(files) {
    const kept = this.storage.keys("").map((key) => this.storage.text(key));
    const wanted = ({ local }) => kept.some((text) => text?.includes(local));
    for (const file of files) if (!wanted(file)) this.shelf.remove(file.local);
    this.flush();
  }

  /** A line that comes back knows nothing of what went wrong before; what hung on the old one is dead. */
  #heed(online) {
    if (online && this.#lost) {
      for (const { at, stop } of this.#running.values()) if (at <= this.#lost) stop.abort();
      this.#rests.clear();
    }
    this.#lost = online ? 0 : this.#lost || Date.now();
  }

  /** The files that are not on the server yet, oldest message first. */
  get #tasks() {
    const rooms = new Set(this.storage.keys("").map(roomOf).filter(Boolean));
    const entries = [...rooms].flatMap((room) => this.outbox(room).entries.map((entry) => ({ ...entry, room })));
    const waiting = entries.filter(({ failed, done }) => !failed && !done).sort((a, b) => a.at - b.at);
    return waiting.flatMap(({ room, cid, ...entry }) =>
      filesOf(entry).filter(({ id }) => !id).map((file) => ({ room, cid, ...file })),
    );
  }

  async #work() {
    this.#working = true;
    this.#more = false;
    const later = (time) => setTimeout(() => this.flush(), time);
    await alone(this.storage, "uploading", () => this.#bringAll(), later);
    this.#working = false;
    if (this.#more && this.online()) this.flush();
  }

  /** Until there is nothing to bring, or no line. */
  async #bringAll() {
    for (;;) {
      this.#more = false;
      const woken = new Promise((resolve) => (this.#wake = resolve));
      const tasks = this.online() ? this.#tasks : [];
      if (tasks.length === 0 && this.#running.size === 0) return;
      for (const task of tasks) this.#begin(task);
      const waits = tasks.map(({ local }) => this.#wait(local)).filter((time) => time > 0);
      clearTimeout(this.#timer);
      if (waits.length > 0) this.#timer = setTimeout(this.#wake, Math.min(...waits));
      await woken;
    }
  }

  /** Milliseconds until a file may be tried again. */
  #wait(local) {
    return (this.#rests.get(local)?.until ?? 0) - Date.now();
  }

  async #begin({ local, ...task }) {
    if (this.#wait(local) > 0 || this.#running.has(local) || this.#running.size >= AT_ONCE) return;
    const run = { ...task, bytes: 0, at: Date.now(), stop: new AbortController() };
    this.#running.set(local, run);
    const answer = await this.#bring(local, run);
    this.#running.delete(local);
    this.#heard(local, run, answer);
    this.#wake();
  }

  async #bring(local, run) {
    const { room, cid, name, stop } = run;
    const kept = await this.shelf.get(local).catch(() => null);
    if (stop.signal.aborted) return {}; // meanwhile
    if (!kept) return { code: "lost", detail: this.say("upload.lost", { name }) };
    const moved = (bytes) => {
      Object.assign(run, { bytes, at: Date.now() });
      this.#show(room, cid);
      this.tell({ room, cid, local, bytes });
    };
    const address = `${this.address(room)}/files?${new URLSearchParams({ name })}`;
    return this.post(address, kept.blob, { moved, signal: stop.signal });
  }

  #heard(local, { room, cid, name }, { status, code, detail, retry, file }) {
    const outbox = this.outbox(room);
    if (!outbox.kept.find(cid)) return; // taken back meanwhile
    if (file) return this.#name(local, outbox, cid, file.id);
    const ours = code && !/^\d+$/.test(code);
    if (retry !== undefined) {
      this.#rests.set(local, { ...this.#rests.get(local), until: Date.now() + retry });
      outbox.refuse({ cid, detail, retry });
    } else if (ours && !BROKEN.includes(code)) {
      outbox.refuse({ cid, detail });
    } else if (status === TOO_LARGE) {
      outbox.refuse({ cid, detail: this.say("upload.proxy") });
    } else {
      this.#brokeOff(local, outbox, cid, name);
    }
  }

  /** It was nobody's decision: once more after a while, and not for ever. */
  #brokeOff(local, outbox, cid, name) {
    if (!this.online()) return; // it is the line, and comes back with it
    const tries = (this.#rests.get(local)?.tries ?? 0) + 1;
    this.#rests.set(local, { tries, until: Date.now() + AGAIN * 2 ** (tries - 1) });
    if (tries < TRIES) return;
    this.#rests.delete(local);
    outbox.refuse({ cid, detail: this.say("upload.broken", { name }) });
  }

  /** The server has it, under this id. */
  #name(local, outbox, cid, id) {
    this.#rests.delete(local);
    const entry = outbox.kept.find(cid);
    const files = filesOf(entry).map((file) => (file.local === local ? { ...file, id } : file));
    outbox.kept.save({ ...entry, fields: { ...entry.fields, files } });
    outbox.changed();
    outbox.flush();
  }
}
