// Wires the page: the only module that knows both the line and the list. Owns what is on its way
// from one to the other.

import { Composer } from "./composer.js";
import { Desk } from "./desk.js";
import { Log } from "./log.js";
import { News } from "./news.js";
import { Outbox } from "./outbox.js";
import { CLOSE } from "./protocol.js";
import { Reading } from "./reading.js";
import { PersonStorage } from "./storage.js";
import { Timeline } from "./timeline.js";
import { regional, speaker } from "./words.js";

const find = (selector) => document.querySelector(selector);

class Page {
  #fetching = false;
  #tries = 0;
  #again = ""; // engines remember an address that failed
  #arrive; // called with the parts that can wait
  #there = new Promise((resolve) => (this.#arrive = resolve));

  constructor(boot) {
    this.boot = boot;
    this.language = regional(document.documentElement.lang);
    this.say = speaker(boot.words, this.language);
    this.root = new URL(boot.base || "./", location.href);
    this.room = this.address(boot.room);
    // Another person on this browser, or another chat on this host, must not meet these.
    this.storage = new PersonStorage(`${this.home}:${boot.you.user}`);
    this.build();
    this.listen();
  }

  build() {
    const { boot, say, storage } = this;
    this.log = new Log(boot);
    this.outbox = this.makeOutbox();
    this.desk = this.makeDesk();
    this.timeline = this.makeTimeline();
    const { timeline } = this;
    const tell = (mark) => this.desk.send("read", mark);
    this.reading = new Reading({ ...boot, timeline, say, storage, key: this.key("read"), tell });
    performance.mark("list-ready");
    this.news = new News(this);
    this.composer = this.makeComposer();
  }

  /** What names of everything that is kept for this chat begin with. */
  get home() {
    return `chat:${this.root.pathname}`;
  }

  /** Under which something of this room is kept. */
  key(what) {
    return `${this.boot.room}:${what}`;
  }

  address(room) {
    return new URL(`r/${encodeURIComponent(room)}`, this.root).href;
  }

  get sending() {
    const { storage, say, boot } = this;
    return { storage, say, you: boot.you, released: (files) => this.later(({ uploads }) => uploads.release(files)) };
  }

  makeOutbox() {
    const line = {
      carries: () => true,
      send: (entry) => this.desk.carry(entry),
      silent: () => this.desk.connection.restart(),
    };
    return new Outbox({
      ...this.sending,
      room: this.boot.room,
      line,
      changed: () => this.showWaiting(),
      returned: ({ fields }, detail) => {
        if (fields.text) this.composer.restore(fields.text); // text is never lost
        this.later(({ deeds, header }) => (deeds.warn(detail), header.refused(fields.topic)));
      },
    });
  }

  /** Shows what waits, after what came back: a message that did so takes the row it waited in. */
  showWaiting() {
    this.news.takeIn();
    this.timeline.waiting.show(this.outbox.entries, this.desk.connection.online);
    this.later(({ deeds, reactions, header, uploads }) => (reactions.wait(), deeds.show(), header.show(), uploads.flush()));
  }

  makeDesk() {
    const socket = new URL(`${this.room}/ws`);
    socket.protocol = socket.protocol.replace("http", "ws");
    const { boot, log, outbox, on } = this;
    const cursor = { epoch: boot.epoch, rev: boot.head };
    return new Desk({ socket, pages: `${this.room}/messages`, cursor, you: boot.you, log, outbox, on });
  }

  makeTimeline() {
    const { boot, say, language } = this;
    return new Timeline({
      log: find(".log"),
      model: this.log,
      ...boot,
      language,
      say,
      load: (query) => this.desk.load(query),
      moved: () => this.reading?.update(),
      replaced: () => this.showWaiting(),
      leaves: (row) => this.editor.rescue(row),
    });
  }

  makeComposer() {
    return new Composer({
      form: find(".composer"),
      limit: this.boot.limits.text,
      say: this.say,
      storage: this.storage,
      key: this.key("draft"),
      send: (text) => this.send(text),
      more: () => this.storage.text(this.key("staged")) !== null,
      drafted: () => (this.rooms?.mark(), this.drafts?.changed()),
    });
  }

  /** False: too many are waiting, the text stays in the box. */
  send(text) {
    const { reply, epoch } = this.storage.read(this.key("reply"), {});
    const files = this.storage.read(this.key("staged"), []);
    const fields = { text, ...(epoch === this.log.epoch && { reply }), ...(files[0] && { files }) };
    if (!this.outbox.add("say", fields)) return false;
    this.storage.remove(this.key("reply"));
    this.storage.remove(this.key("staged"));
    this.later(({ replying, staging }) => (replying.show(), staging.sent()));
    this.reading.undivide();
    this.timeline.toEnd().catch(() => {}); // the line is down: it will be shown when it is back
    this.reading.update();
    return true;
  }

  start() {
    this.desk.open(this.boot.changes);
    this.showWaiting();
    this.reading.begin();
    if (location.hash || this.storage.text(this.key("place"))) this.come();
    document.documentElement.dataset.ready = "";
    performance.mark("composer-ready");
    if (matchMedia("(pointer: fine)").matches) this.composer.focus();
    this.connected(this.desk.connection.state);
  }

  /** Goes where in the log one comes to, if that is not its end. */
  come() {
    this.reading.held = true;
    const failed = () => ((this.reading.held = false), (this.#again = `?${Date.now()}`));
    import(`./place.js${this.#again}`).then(({ come }) => come(this), failed);
  }

  listen() {
    addEventListener("online", () => this.desk.connection.retry());
    addEventListener("offline", () => this.desk.connection.unplugged());
    addEventListener("pageshow", ({ persisted }) => persisted && this.desk.connection.retry());
    addEventListener("hashchange", () => this.come());
    addEventListener("pagehide", () => this.reading.leave());
    find(".log").addEventListener("click", (event) => this.later(({ actions }) => actions.clicked(event)));
    document.addEventListener("click", ({ target }) => {
      const opener = target.closest("[data-opens]");
      if (opener) this.later(({ people }) => people.open(opener));
    });
    addEventListener("storage", ({ key, newValue }) => this.stored(this.storage.own(key), newValue));
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
    this.rooms?.mark();
  }

  seen() {
    const here = document.visibilityState === "visible";
    this.desk.send("appear", { here });
    if (here) this.desk.connection.retry();
    this.reading.returned();
  }

  on = {
    stranger: () => location.reload(),
    place: () => this.timeline.history.place,
    afresh: (other) => (this.news.afresh(other, this.log.epoch), this.showWaiting()),
    loaded: (page) => this.news.loaded(page),
    seen: (messages) => this.reading.hear(messages),
    took: (name, change, what) => this.news.took(name, change, what),
    welcome: ({ people, version, you }) => {
      Object.assign(this.boot.you, you);
      this.reading.greeted = false;
      this.updated = version !== this.boot.version;
      this.later((parts) => parts.people.show(people));
    },
    live: () => {
      this.news.level();
      if (document.visibilityState === "hidden") this.desk.send("appear", { here: false });
    },
    people: (known) => this.later(({ people }) => (this.news.takeIn(), people.arrive(known))),
    typing: (someone) => this.later(({ people }) => people.heard(someone)),
    read: (mark) => (this.reading.marked(mark), this.later(({ notify }) => notify.read(mark.id))),
    rooms: (told) => this.later(({ rooms, notify }) => (rooms.hear(told), notify.rooms(told))),
    kept: ({ values }) => this.later(({ kept, drafts }) => (kept.heard(values), drafts.heard(values))),
    state: (state) => this.connected(state),
    lost: (code) => code === CLOSE.SIGNED_OUT && (this.storage.forget(), (this.forgotten = this.shelf?.forget())), // here or in another tab
  };

  /** Calls `use` with the parts of the page that can wait, as soon as they are there. */
  later(use) {
    this.#there.then(use);
  }

  /** Fetches them once the line is up or down; if that fails, with the next such news. */
  async fetch() {
    if (this.#fetching) return;
    this.#fetching = true;
    this.#tries += 1;
    const again = this.#tries > 1 ? `?${this.#tries}` : "";
    const rest = await import(`./rest.js${again}`).catch(() => null);
    const fetched = await rest?.fetchParts(again).catch(() => null);
    this.#fetching = Boolean(fetched);
    if (fetched) this.#arrive(rest.wire(this, fetched));
  }

  connected(state) {
    document.documentElement.dataset.conn = ["online", "connecting"].find((one) => one === state) ?? "offline";
    this.showWaiting();
    this.later(({ strip, drafts }) => (strip.connected(state), drafts.connected(state)));
    if (state === "signed_out") Promise.resolve(this.forgotten).then(() => location.reload());
    if (state === "online") performance.mark("socket-ready");
    if (state !== "connecting") this.fetch();
  }
}

new Page(JSON.parse(find("#boot").textContent)).start();
