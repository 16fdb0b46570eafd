// Wires the page: the only module that knows both the line and the list. Owns what is on its way
// from one to the other.

import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { Deeds } from "./deeds.js";
import { News } from "./news.js";
import { Outbox } from "./outbox.js";
import { Parts } from "./parts.js";
import { CLOSE } from "./protocol.js";
import { Reading } from "./reading.js";
import { Rooms } from "./rooms.js";
import { PersonStorage } from "./storage.js";
import { Strip } from "./strip.js";
import { Timeline } from "./timeline.js";
import { regional, speaker } from "./words.js";

const find = (selector) => document.querySelector(selector);

class Page {
  #stranger = false; // another person uses this browser now

  constructor(boot) {
    this.boot = boot;
    this.language = regional(document.documentElement.lang);
    this.say = speaker(boot.words, this.language);
    this.root = new URL(boot.base || "./", location.href);
    this.room = this.address(boot.room);
    const home = `chat:${this.root.pathname}`;
    // Another person on this browser, or another chat on this host, must not meet these.
    this.storage = new PersonStorage(`${home}:${boot.you.user}`);
    this.storage.inherit(`${home}:rooms`, "rooms");
    this.build();
    this.listen();
  }

  build() {
    const { boot, say, storage } = this;
    this.parts = new Parts(this);
    this.outbox = this.makeOutbox();
    this.timeline = this.makeTimeline();
    this.strip = this.makeStrip();
    this.reading = new Reading({
      timeline: this.timeline,
      you: boot.you,
      say,
      storage,
      key: `${boot.room}:read`,
      unreadIcon: new URL(`${boot.static}/icon-unread.svg`, location.href).href,
      tell: (id) => this.connection.send("read", { id }),
    });
    performance.mark("list-ready");
    this.news = this.makeNews();
    this.rooms = new Rooms({ ...boot, say, storage, waiting: () => this.elsewhere?.counts });
    this.connection = this.makeConnection();
    this.composer = this.makeComposer();
    this.deeds = this.makeDeeds();
  }

  address(room) {
    return new URL(`r/${encodeURIComponent(room)}`, this.root).href;
  }

  /** What every outbox of this person is made with. */
  get sending() {
    return { storage: this.storage, you: this.boot.you, say: this.say };
  }

  makeOutbox() {
    const line = {
      carries: () => true,
      send: (entry) => !this.#stranger && this.connection.carry(entry),
      silent: () => this.connection.restart(),
    };
    const outbox = new Outbox({
      ...this.sending,
      room: this.boot.room,
      line,
      changed: () => this.deeds.show(),
      returned: (entry, detail) => this.deeds.returned(entry, detail),
    });
    outbox.epoch = this.boot.epoch;
    return outbox;
  }

  makeNews() {
    const { timeline, reading, outbox, say } = this;
    const pages = `${this.room}/messages`;
    return new News({ you: this.boot.you, timeline, reading, outbox, say, pages, later: (use) => this.later(use) });
  }

  makeStrip() {
    return new Strip({
      say: this.say,
      hold: (change) => this.timeline.scroll.hold(change),
      standing: () => ({ failed: this.deeds.failed.length, updated: this.updated }),
      acts: {
        retry: () => this.connection.retry(),
        resume: () => this.connection.resume(),
        tryAll: () => this.deeds.tryAll(),
        reload: () => location.reload(),
      },
    });
  }

  makeTimeline() {
    const { boot, say, language } = this;
    return new Timeline({
      log: find(".log"),
      ...boot,
      language,
      say,
      load: (query) => this.news.load(query),
      moved: () => this.reading?.update(),
      replaced: () => this.deeds.show(),
      leaves: (row) => this.editor.rescue(row),
    });
  }

  makeConnection() {
    const url = new URL(`${this.room}/ws`);
    url.protocol = url.protocol.replace("http", "ws");
    return new Connection({
      url,
      signInUrl: `${this.room}/messages?limit=1`,
      cursor: { epoch: this.boot.epoch, rev: this.boot.rev },
      hear: (name, fields, fresh) => this.#stranger || this.hear[name]?.(fields, fresh),
      lost: (code) => this.lost(code),
      changed: (state) => this.connected(state),
    });
  }

  makeComposer() {
    return new Composer({
      form: find(".composer"),
      limit: this.boot.limits.text,
      say: this.say,
      storage: this.storage,
      key: `${this.boot.room}:draft`,
      send: (text) => this.deeds.say(text),
      typing: (fields) => this.connection.send("typing", fields),
      editLast: () => this.editor?.editLast(),
      page: (way) => this.timeline.scroll.page(way),
      drafted: () => this.rooms.mark(),
    });
  }

  makeDeeds() {
    const { timeline, composer, outbox, reading, strip, connection, say } = this;
    const alert = (text) => this.later(({ people }) => people.announcer.alert(text));
    const tell = (text) => this.later(({ people }) => people.announcer.say(text));
    return new Deeds({ timeline, composer, outbox, reading, strip, connection, alert, tell, text: say });
  }

  start() {
    this.timeline.mine.forEach((message) => this.outbox.heard(message));
    this.deeds.show();
    this.reading.begin();
    this.deeds.follow();
    document.documentElement.dataset.ready = "";
    this.reading.goOn();
    performance.mark("composer-ready");
    if (matchMedia("(pointer: fine)").matches) this.composer.focus();
    this.connected(this.connection.state);
    this.connection.open();
  }

  listen() {
    addEventListener("online", () => this.connection.retry());
    addEventListener("offline", () => this.connection.unplugged());
    addEventListener("pageshow", ({ persisted }) => persisted && this.connection.retry());
    addEventListener("hashchange", () => this.deeds.follow());
    addEventListener("pagehide", () => (this.editor?.settle(), this.reading.leave()));
    find(".log").addEventListener("click", (event) => this.later(({ editor }) => editor.clicked(event)));
    document.addEventListener("click", ({ target }) => {
      const opener = target.closest("[data-opens]");
      if (opener) this.later(({ people }) => people.open(opener));
    });
    addEventListener("storage", ({ key, newValue }) => this.stored(this.storage.own(key), newValue));
    addEventListener("beforeunload", (event) => this.storage.holdsTyped && event.preventDefault());
    addEventListener("focus", () => this.reading.returned());
    addEventListener("blur", () => this.reading.returned());
    document.addEventListener("visibilitychange", () => this.seen());
  }

  /** Another tab of this person has changed what is kept under a key. */
  stored(key, text) {
    if (key === null) return;
    this.storage.heard(key);
    this.outbox.stored(key, text);
    this.elsewhere?.stored(key, text);
    this.composer.stored(key, text);
    this.rooms.mark();
  }

  seen() {
    const here = document.visibilityState === "visible";
    this.connection.send("appear", { here });
    if (here) this.connection.retry();
    this.reading.returned();
  }

  // --- what the line brings

  hear = {
    welcome: ({ people, version, you, epoch }, afresh) => {
      this.#stranger = you.user !== this.boot.you.user;
      if (this.#stranger) return location.reload();
      if (afresh) {
        this.news.afresh(epoch);
        this.deeds.show();
      }
      Object.assign(this.boot.you, you);
      this.updated = version !== this.boot.version;
      this.later((parts) => parts.people.show(people));
    },
    message: (message, fresh) => this.news.message(message, fresh),
    live: () => {
      this.news.level();
      if (document.visibilityState === "hidden") this.connection.send("appear", { here: false });
    },
    gap: (fields) => this.news.gap(fields),
    people: (people) => this.news.people(people),
    typing: (someone) => this.news.typing(someone),
    read: ({ id }) => this.reading.upTo(id),
    refused: (refusal) => this.outbox.refuse(refusal),
  };

  /** The line ended. */
  lost(code) {
    if (code === CLOSE.SIGNED_OUT) this.storage.forget(); // here or in another tab
    this.outbox.down(code === CLOSE.TOO_BIG && this.say("message.too_big"));
  }

  later(use) {
    this.parts.later(use);
  }

  connected(state) {
    const shown = { online: "online", connecting: "connecting" };
    document.documentElement.dataset.conn = shown[state] ?? "offline";
    this.deeds.show();
    this.strip.connected(state);
    if (state === "signed_out") location.reload();
    if (state === "online") performance.mark("socket-ready");
    if (state !== "connecting") this.parts.fetch();
  }
}

new Page(JSON.parse(find("#boot").textContent)).start();
