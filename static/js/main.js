// Wires the page: the only module that knows both the line and the list. Owns what is on its way
// from one to the other, and when the parts that can wait (people.js, editor.js) are loaded.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Changes, Outbox } from "./outbox.js";
import { CLOSE } from "./protocol.js";
import { Reading } from "./reading.js";
import { Rooms } from "./rooms.js";
import { openStorage } from "./storage.js";
import { Strip } from "./strip.js";
import { Timeline } from "./timeline.js";
import { speaker } from "./words.js";

const STILL = 100; // ms without a frame
const REFUSED = 6_000; // ms a refused edit or deletion is spoken of

const find = (selector) => document.querySelector(selector);

class Page {
  #arrived = []; // messages that wait for the next frame
  #afresh = false; // what was shown came from another life of the server
  #failed = new Set(); // cids already said to have failed
  #loading = false; // the parts that can wait
  #tries = 0;
  #arrive; // called with them
  #parts = new Promise((resolve) => (this.#arrive = resolve));

  constructor(boot) {
    this.boot = boot;
    this.language = document.documentElement.lang;
    this.say = speaker(boot.words, this.language);
    this.storage = openStorage();
    this.root = new URL(boot.base || "./", location.href);
    this.room = new URL(`r/${encodeURIComponent(boot.room)}`, this.root).href;
    // Another person on this browser, or another chat on this host, must not meet these.
    this.name = `chat:${this.root.pathname}:${boot.you.user}`;
    this.build();
    this.listen();
  }

  build() {
    const { boot, say, storage } = this;
    this.changes = new Changes((name, fields) => this.connection.send(name, fields));
    this.outbox = this.makeOutbox();
    this.timeline = this.makeTimeline();
    this.strip = new Strip(say, (change) => this.timeline.scroll.hold(change), () => this.standing());
    this.reading = new Reading({
      timeline: this.timeline,
      say,
      storage,
      key: `${this.name}:${boot.room}:read`,
      unreadIcon: new URL(`${boot.static}/icon-unread.svg`, location.href).href,
      tell: (id) => this.connection.send("read", { id }),
    });
    performance.mark("list-ready");
    this.rooms = new Rooms({
      ...boot,
      say,
      storage,
      key: `chat:${this.root.pathname}:rooms`,
      draftKey: (room) => this.draftKey(room),
    });
    this.connection = this.makeConnection();
    this.composer = this.makeComposer();
  }

  draftKey(room) {
    return `${this.name}:${room}:draft`;
  }

  makeOutbox() {
    return new Outbox({
      name: `${this.name}:${this.boot.room}`,
      storage: this.storage,
      words: { late: this.say("message.late"), old: this.say("message.old") },
      say: (fields) => this.connection.send("say", fields),
      silent: () => this.connection.restart(),
      changed: (entries) => this.pend(entries),
    });
  }

  makeTimeline() {
    const { boot, say, language } = this;
    return new Timeline({
      log: find(".log"),
      ...boot,
      language,
      say,
      load: (query) => this.load(query),
      stuck: () => this.reading?.update(),
    });
  }

  makeConnection() {
    const url = new URL(`${this.room}/ws`);
    url.protocol = url.protocol.replace("http", "ws");
    return new Connection({
      url,
      signInUrl: `${this.room}/messages?limit=1`,
      cursor: { epoch: this.boot.epoch, rev: this.boot.rev },
      hear: (name, fields, fresh) => this.hear[name]?.(fields, fresh),
      lost: (code) => this.outbox.down(code === CLOSE.TOO_BIG && this.say("message.too_big")),
      changed: (state) => this.connected(state),
    });
  }

  makeComposer() {
    return new Composer({
      form: find(".composer"),
      limit: this.boot.limits.text,
      say: this.say,
      storage: this.storage,
      key: this.draftKey(this.boot.room),
      send: (text) => this.send(text),
      typing: () => this.connection.send("typing", {}),
      editLast: () => this.editor?.editLast(),
      drafted: () => this.rooms.mark(),
    });
  }

  start() {
    this.timeline.confirmed.forEach((cid) => this.outbox.confirm(cid));
    this.pend(this.outbox.entries);
    this.reading.divide();
    this.reading.update();
    document.documentElement.dataset.ready = "";
    performance.mark("composer-ready");
    if (matchMedia("(pointer: fine)").matches) this.composer.focus();
    this.connected(this.connection.state);
    this.connection.open();
  }

  listen() {
    addEventListener("online", () => this.connection.retry());
    addEventListener("offline", () => this.connection.unplugged());
    addEventListener("pageshow", ({ persisted }) => persisted && this.connection.retry());
    addEventListener("pagehide", () => this.editor?.settle());
    find(".log").addEventListener("click", (event) => this.later(({ editor }) => editor.clicked(event)));
    document.addEventListener("click", ({ target }) => {
      const opener = target.closest("[data-opens]");
      if (opener) this.later(({ people }) => people.open(opener));
    });
    find(".sign-out").addEventListener("submit", () => this.forget());
    addEventListener("storage", (event) => this.outbox.stored(event));
    addEventListener("focus", () => this.reading.returned());
    addEventListener("blur", () => this.reading.returned());
    document.addEventListener("visibilitychange", () => this.seen());
    visualViewport?.addEventListener("resize", () => this.fit());
  }

  /** Where a keyboard covers the page instead of shrinking it (iOS), the page shrinks itself. */
  fit() {
    const { height, scale } = visualViewport;
    const covered = scale === 1 && height < innerHeight - 1;
    document.documentElement.style.setProperty("--vvh", covered ? `${height}px` : "100dvh");
  }

  seen() {
    const here = document.visibilityState === "visible";
    this.connection.send("appear", { here });
    if (here) this.connection.retry();
    this.reading.returned();
  }

  // --- what a person does

  send(text) {
    if (!this.outbox.add(text)) return false;
    this.timeline.divide();
    this.timeline.scroll.toEnd();
    this.reading.update();
    return true;
  }

  /** Nothing of this person stays on a browser that others may use. */
  forget() {
    if (!this.connection.online) return; // then it will not be done
    this.composer.clear();
    for (const key of Object.keys(this.storage)) {
      if (key.startsWith(`${this.name}:`)) this.storage.removeItem(key);
    }
  }

  // --- what the line brings

  hear = {
    welcome: ({ people, version, you }, afresh) => {
      if (afresh) {
        this.#arrived = [];
        this.timeline.clear();
        this.pend(this.outbox.entries);
      }
      this.#afresh ||= afresh;
      Object.assign(this.boot.you, you);
      this.updated = version !== this.boot.version;
      this.later((parts) => parts.people.show(people));
    },
    message: (message, fresh) => {
      this.later(({ people }) => people.typing.stopped(message.user));
      if (fresh) this.changes.done(message.id);
      else if (!message.cid) return;
      this.#arrived.push(message);
      if (this.#arrived.length > 1) return;
      requestAnimationFrame(() => this.takeIn());
      setTimeout(() => this.takeIn(), STILL); // a page nobody sees has no frames
    },
    live: () => {
      this.takeIn();
      this.timeline.caughtUp();
      if (this.#afresh) this.reading.restart();
      this.#afresh = false;
      this.outbox.flush();
      this.changes.again();
      if (document.visibilityState === "hidden") this.connection.send("appear", { here: false });
    },
    gap: (fields) => {
      this.takeIn();
      if (fields.count > 0) this.timeline.gap(fields);
    },
    people: (people) => {
      this.later((parts) => parts.people.show(people));
      this.welcomeThe(people.joined ?? []);
    },
    typing: (someone) => {
      if (someone.user !== this.boot.you.user) this.later(({ people }) => people.typing.heard(someone));
    },
    read: ({ id }) => this.reading.upTo(id),
    refused: (refusal) => this.refused(refusal),
  };

  takeIn() {
    const messages = this.#arrived;
    this.#arrived = [];
    if (messages.length === 0) return;
    this.timeline.apply(messages);
    for (const message of messages) {
      if (message.cid) this.outbox.confirm(message.cid);
      const fromOther = message.user !== this.boot.you.user && message.rev === message.id;
      if (!fromOther || !message.live || message.deleted) continue;
      this.later(({ people }) => people.announcer.message(message));
    }
    this.reading.update();
  }

  welcomeThe(newcomers) {
    this.takeIn(); // what was said before they came stands before them
    for (const name of newcomers) {
      if (name !== this.boot.you.name) this.timeline.note(this.say("people.joined", { name }));
    }
  }

  async load(query) {
    const answer = await fetch(`${this.room}/messages?${new URLSearchParams(query)}`, {
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(answer.statusText);
    const page = await answer.json();
    for (const { cid } of page.messages) if (cid) this.outbox.confirm(cid);
    return page;
  }

  refused({ cid, id, detail, retry }) {
    if (cid) return this.outbox.refuse({ cid, detail, retry });
    if (id === undefined) return;
    if (retry !== undefined) return setTimeout(() => this.changes.again(), retry);
    const text = this.changes.done(id);
    this.timeline.revert(id);
    this.alert(detail);
    this.strip.brief({ key: "conn.refused", kind: "bad", values: { detail } }, REFUSED);
    if (text) this.composer.restore(text); // an edit is text too, and text is never lost
  }

  pend(entries) {
    this.timeline.pend(entries, this.connection?.online);
    const failed = entries.filter((entry) => entry.failed);
    const news = failed.find(({ cid }) => !this.#failed.has(cid));
    this.#failed = new Set(failed.map(({ cid }) => cid));
    if (news) this.alert(this.say("message.alert", { detail: news.failed }));
    this.strip?.refresh();
  }

  // --- the parts that can wait

  /** Calls `use` with {people, editor} as soon as they are there. */
  later(use) {
    this.#parts.then(use);
  }

  alert(text) {
    this.later(({ people }) => people.announcer.alert(text));
  }

  /** Loads them once the line is up, or known to be down; if that fails, with the next such news. */
  async complete() {
    if (this.#loading) return;
    this.#loading = true;
    this.#tries += 1;
    const again = this.#tries > 1 ? `?${this.#tries}` : ""; // engines remember an address that failed
    const modules = ["people", "editor"].map((name) => import(`./${name}.js${again}`));
    const [people, editor] = await Promise.all(modules).catch(() => []);
    this.#loading = Boolean(editor);
    if (!editor) return;
    const { boot, say, language, timeline } = this;
    this.editor = new editor.Editor({ timeline, limit: boot.limits.text, say, on: this.done() });
    this.#arrive({ people: new people.People({ you: boot.you, say, language }), editor: this.editor });
  }

  /** What a person may do to a row. */
  done() {
    return {
      edit: (id, text) => this.changes.make("edit", { id, text }),
      remove: (id) => this.changes.make("delete", { id }),
      again: (cid) => this.outbox.again(cid),
      take: (cid) => this.composer.restore(this.outbox.discard(cid)),
      discard: (cid) => this.outbox.discard(cid),
      leave: () => this.composer.focus(),
    };
  }

  // --- the strip

  connected(state) {
    const shown = { online: "online", connecting: "connecting" };
    document.documentElement.dataset.conn = shown[state] ?? "offline";
    this.pend(this.outbox.entries);
    if (state === "signed_out") location.reload();
    else if (state === "online") this.strip.over();
    else this.strip.trouble(this.troubles[state]);
    if (state === "online") performance.mark("socket-ready");
    if (state !== "connecting") this.complete();
  }

  troubles = {
    connecting: { key: "conn.connecting" },
    offline: { key: "conn.offline", button: "conn.try", action: () => this.connection.retry() },
    blocked: { key: "conn.blocked", button: "conn.try", action: () => this.connection.retry() },
    removed: { key: "conn.removed", kind: "bad" },
    replaced: { key: "conn.replaced", button: "conn.here", action: () => this.connection.resume() },
  };

  /** What is worth a line while all is well. */
  standing() {
    const failed = this.outbox.entries.filter((entry) => entry.failed);
    if (failed.length > 1) {
      const action = () => failed.forEach(({ cid }) => this.outbox.again(cid));
      return { key: "conn.failed", kind: "bad", values: { n: failed.length }, button: "conn.try_all", action };
    }
    if (!this.updated) return null;
    return { key: "conn.updated", kind: "good", button: "conn.reload", action: () => location.reload() };
  }
}

new Page(JSON.parse(find("#boot").textContent)).start();
