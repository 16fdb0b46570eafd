// Wires the page: the only module that knows both the line and the list. Owns what frames them:
// the strip, the announcements, who is here, the rooms, the dialogs.

import { Composer, Typing } from "./composer.js";
import { Connection } from "./connection.js";
import { clone, element, initials, speaker } from "./format.js";
import { Outbox, openStorage } from "./outbox.js";
import { CLOSE } from "./protocol.js";
import { Reading } from "./scroll.js";
import { Timeline } from "./timeline.js";

const BLIP = 2_500; // ms a lost line stays unmentioned
const UNPLUGGED = 500; // ms, when the machine itself says it has no network
const BACK = 1_500; // ms "Back online" is shown
const BREATH = 2_000; // ms in which announcements are gathered
const FEW = 3; // messages announced one by one
const SPEECH = 10_000; // ms
const SPOKEN = 200; // characters of an announcement
const STILL = 100; // ms without a frame
const COPIED = 2_000; // ms
const REFUSED = 6_000; // ms a refused edit or deletion is spoken of

const find = (selector) => document.querySelector(selector);

/** One line under the header: trouble once it lasts, good news for a moment, or what still stands. */
class Strip {
  #timer = 0;
  #since = 0; // when the trouble began
  #busy = false; // with something that must not be talked over

  /** `standing()` is what to say, if anything, while all is well. */
  constructor(say, hold, standing) {
    Object.assign(this, { say, hold, standing, place: find(".conn") });
  }

  /** Said only once the trouble has lasted: blips are nobody's business. */
  trouble(notice) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#since ||= Date.now();
    const patience = navigator.onLine ? BLIP : UNPLUGGED;
    this.#timer = setTimeout(() => this.#put(notice), this.#since + patience - Date.now());
  }

  over() {
    clearTimeout(this.#timer);
    this.#busy = false;
    this.#since = 0;
    if (this.place.querySelector(".trouble")) this.brief({ key: "conn.back", kind: "good" }, BACK);
    else this.refresh();
  }

  brief(notice, time) {
    clearTimeout(this.#timer);
    this.#busy = true;
    this.#put(notice);
    this.#timer = setTimeout(() => {
      this.#busy = false;
      this.refresh();
    }, time);
  }

  refresh() {
    if (!this.#busy) this.#put(this.standing());
  }

  #put(notice) {
    const text = notice ? this.say(notice.key, notice.values) : "";
    if (this.place.querySelector("span")?.textContent === text || (!notice && !this.place.firstChild)) return;
    this.hold(() => this.place.replaceChildren(...(notice ? [this.#make(notice, text)] : [])));
  }

  #make({ kind = "trouble", button, action }, text) {
    const strip = clone("strip");
    strip.classList.add(kind);
    strip.querySelector("span").textContent = text;
    const pressed = strip.querySelector("button");
    pressed.hidden = !button;
    if (button) pressed.textContent = this.say(button);
    pressed.addEventListener("click", () => action());
    return strip;
  }
}

/** Speaks new messages of others: each for itself, or how many when they come thick. */
class Announcer {
  #heard = [];
  #forgetting = 0;

  constructor(say) {
    Object.assign(this, { say, place: find("#announcer"), alarm: find("#alert") });
  }

  message({ name, text }) {
    this.#heard.push(this.say("announce.message", { name, text: [...text].slice(0, SPOKEN).join("") }));
    if (this.#heard.length > 1) return;
    setTimeout(() => this.#speak(), BREATH);
  }

  alert(text) {
    this.alarm.textContent = "";
    requestAnimationFrame(() => (this.alarm.textContent = text)); // the same words are said again
  }

  #speak() {
    const many = this.#heard.length > FEW;
    const lines = many ? [this.say("announce.many", { n: this.#heard.length })] : this.#heard;
    this.place.replaceChildren(...lines.map((line) => element("p", line)));
    this.#heard = [];
    // Once spoken it goes: a message deleted later must not stay on in here.
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.place.replaceChildren(), SPEECH);
  }
}

/** The panel of people, and the line about them in the header. */
function showPeople({ total, here, people }, you, say) {
  find(".top .sub").textContent =
    total < 2 ? say("people.alone") : say("people.count", { n: total, here });
  const rows = people.map(({ user, name, color, here: looking = true }) => {
    const row = clone("person");
    row.classList.add(`a${color}`);
    row.querySelector(".av").textContent = initials(name);
    row.querySelector(".pn").textContent = user === you.user ? say("you") : name;
    row.querySelector(".dot").classList.toggle("away", !looking);
    row.querySelector(".vh").textContent = say(looking ? "people.here" : "people.away");
    return row;
  });
  if (total > people.length) {
    const more = element("li", say("people.more", { n: total - people.length }));
    more.className = "more";
    rows.push(more);
  }
  find(".people ul").replaceChildren(...rows);
}

/** The rooms this browser has been in, in the order of the first visit, with their drafts. */
class Rooms {
  constructor({ room, base, say, storage, key, draftKey }) {
    Object.assign(this, { room, base, say, storage, draftKey, list: find(".rooms") });
    const visited = JSON.parse(storage.getItem(key) ?? "[]");
    if (!visited.includes(room)) storage.setItem(key, JSON.stringify([...visited, room]));
    this.house = this.list.firstElementChild.querySelector(".rn").textContent;
    const others = [...visited, room].filter((name) => name !== this.house);
    const rows = [...new Set(others)].map((name) => this.#row(name));
    this.list.replaceChildren(this.list.firstElementChild, ...rows);
    this.mark();
  }

  #row(name) {
    const row = clone("room");
    const link = row.firstElementChild;
    link.href = `${this.base}r/${encodeURIComponent(name)}`;
    if (name === this.room) link.setAttribute("aria-current", "page");
    link.querySelector(".rn").textContent = name;
    return row;
  }

  mark() {
    for (const link of this.list.querySelectorAll("a")) {
      const drafted = this.storage.getItem(this.draftKey(link.querySelector(".rn").textContent)) !== null;
      const old = link.querySelector(".mark");
      if (!drafted) old?.remove();
      else if (!old) {
        const mark = element("span", this.say("rooms.draft"));
        mark.className = "mark";
        link.append(mark);
      }
    }
  }
}

/** Copies a text; where the clipboard is refused (plain http) it is selected instead. */
async function copy(text, select) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select();
    return document.execCommand("copy");
  }
}

function openDialogs(say, you, renamed) {
  for (const opener of document.querySelectorAll("[data-opens]")) {
    const dialog = document.getElementById(opener.dataset.opens);
    opener.addEventListener("click", () => dialog.showModal());
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  }
  wireInvite(find("dialog#invite"), say);
  wireRename(find("form.rename"), you, say, renamed);
}

function wireInvite(dialog, say) {
  const link = dialog.querySelector(".link");
  const status = dialog.querySelector(".status");
  dialog.querySelector(".copy-link").addEventListener("click", async () => {
    const done = await copy(link.value, () => link.select());
    status.textContent = say(done ? "invite.copied" : "invite.select");
    setTimeout(() => (status.textContent = ""), COPIED);
  });
  const share = dialog.querySelector(".share");
  share.hidden = !navigator.share;
  share.addEventListener("click", () => navigator.share({ url: link.value }).catch(() => {}));
}

function wireRename(form, you, say, renamed) {
  const field = form.querySelector("#name");
  const error = form.querySelector(".err");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(form.action, { method: "POST", body, headers });
      const result = await answer.json();
      error.textContent = answer.ok ? "" : result.detail;
      field.setAttribute("aria-invalid", !answer.ok);
      if (!answer.ok) field.value = result.suggestion ?? field.value;
      else renamed(Object.assign(you, { name: result.name, color: result.color }));
    } catch {
      error.textContent = say("me.failed");
    }
  });
}

/** Edits and deletions under way: kept until they come back or are refused, sent again on a new line. */
class Changes {
  #sent = new Map(); // id -> [command, fields]

  constructor(send) {
    this.send = send;
  }

  make(command, fields) {
    this.#sent.set(fields.id, [command, fields]);
    this.send(command, fields);
  }

  again() {
    for (const change of this.#sent.values()) this.send(...change);
  }

  /** Takes a change off the list; gives the text it carried. */
  done(id) {
    const text = this.#sent.get(id)?.[1].text;
    this.#sent.delete(id);
    return text;
  }
}

class Page {
  #arrived = []; // messages that wait for the next frame
  #afresh = false; // what was shown came from another life of the server
  #failed = new Set(); // cids already said to have failed

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
    const { boot, say, storage, language } = this;
    this.typing = new Typing(say, language);
    this.announcer = new Announcer(say);
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
    openDialogs(say, boot.you, ({ name }) => this.renamed(name));
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
      limit: boot.limits.text,
      language,
      say,
      load: (query) => this.load(query),
      on: {
        edit: (id, text) => this.changes.make("edit", { id, text }),
        remove: (id) => this.changes.make("delete", { id }),
        again: (cid) => this.outbox.again(cid),
        take: (cid) => this.composer.restore(this.outbox.discard(cid)),
        discard: (cid) => this.outbox.discard(cid),
        copy: (text, button) => this.copy(text, button),
        leave: () => this.composer.focus(),
        stuck: () => this.reading?.update(),
      },
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
      editLast: () => this.timeline.editLast(),
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
    addEventListener("pagehide", () => this.timeline.settle());
    find(".sign-out").addEventListener("submit", () => this.forget());
    addEventListener("storage", (event) => this.outbox.stored(event));
    addEventListener("focus", () => this.reading.returned());
    addEventListener("blur", () => this.reading.returned());
    document.addEventListener("visibilitychange", () => this.seen());
    for (const query of ["(max-width: 48rem)", "(max-width: 75rem)"]) {
      matchMedia(query).addEventListener("change", () => {
        for (const panel of document.querySelectorAll(":popover-open")) panel.hidePopover();
      });
    }
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

  async copy(text, button) {
    const old = button.textContent;
    const area = Object.assign(document.createElement("textarea"), { value: text, className: "vh" });
    document.body.append(area);
    if (await copy(text, () => area.select())) button.textContent = this.say("text.copied");
    area.remove();
    setTimeout(() => (button.textContent = old), COPIED);
  }

  /** Nothing of this person stays on a browser that others may use. */
  forget() {
    if (!this.connection.online) return; // then it will not be done
    this.composer.clear();
    for (const key of Object.keys(this.storage)) {
      if (key.startsWith(`${this.name}:`)) this.storage.removeItem(key);
    }
  }

  renamed(name) {
    find(".me .pn").textContent = name;
    find(".me .av").textContent = initials(name);
    find("dialog#me").close();
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
      showPeople(people, this.boot.you, this.say);
    },
    message: (message, fresh) => {
      this.typing.stopped(message.user);
      if (fresh) this.changes.done(message.id);
      else if (!message.cid) return;
      this.#arrived.push(message);
      if (this.#arrived.length > 1) return;
      requestAnimationFrame(() => this.takeIn());
      setTimeout(() => this.takeIn(), STILL); // a page nobody sees has no frames
    },
    live: () => {
      performance.mark("socket-ready");
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
      showPeople(people, this.boot.you, this.say);
      this.welcomeThe(people.joined ?? []);
    },
    typing: (someone) => someone.user !== this.boot.you.user && this.typing.heard(someone),
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
      if (fromOther && message.live && !message.deleted) this.announcer.message(message);
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
    this.announcer.alert(detail);
    this.strip.brief({ key: "conn.refused", kind: "bad", values: { detail } }, REFUSED);
    if (text) this.composer.restore(text); // an edit is text too, and text is never lost
  }

  pend(entries) {
    this.timeline.pend(entries, this.connection?.online);
    const failed = entries.filter((entry) => entry.failed);
    const news = failed.find(({ cid }) => !this.#failed.has(cid));
    this.#failed = new Set(failed.map(({ cid }) => cid));
    if (news) this.announcer.alert(this.say("message.alert", { detail: news.failed }));
    this.strip?.refresh();
  }

  // --- the strip

  connected(state) {
    const shown = { online: "online", connecting: "connecting" };
    document.documentElement.dataset.conn = shown[state] ?? "offline";
    this.pend(this.outbox.entries);
    if (state === "signed_out") location.reload();
    else if (state === "online") this.strip.over();
    else this.strip.trouble(this.troubles[state]);
  }

  troubles = {
    connecting: { key: "conn.connecting" },
    offline: { key: "conn.offline", button: "conn.try", action: () => this.connection.retry() },
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
