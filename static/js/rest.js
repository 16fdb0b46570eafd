// Fetches and wires the parts of the page that can wait, as main.js does those that cannot.

import { PersonStorage } from "./storage.js";

const MODULES = [
  ...["people", "editor", "actions", "deeds", "strip", "edges", "elsewhere", "viewport", "rooms"],
  ...["kept", "appearance", "attention", "header", "silence", "roles", "drafts", "paste"],
  ...["reactions", "dress", "files"],
  ...["badge", "pill"],
  ...["staging", "gathering"],
  ...["salvage", "changes", "writing", "answering", "times"],
  ...["shelf", "status", "uploads", "post", "keys", "moderating", "door"],
];

/** All that the other modules export, and `words`, what they say; `again` makes addresses of their own
 *  for another try. */
export async function fetchParts(again) {
  const [words, ...made] = await Promise.all([fetchWords(), ...MODULES.map((name) => import(`./${name}.js${again}`))]);
  return Object.assign({ words }, ...made);
}

async function fetchWords() {
  const answer = await fetch(new URL("../words.json", import.meta.url));
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.json();
}

/** Makes the parts of `page` from what was fetched. */
export function wire(page, made) {
  const { boot, say, language, storage, timeline } = page;
  Object.assign(boot.words, { ...made.words, ...boot.words }); // what the page says itself is newer
  const shelf = (page.shelf = new made.Shelf(page.home, boot.you.user));
  const forget = () => (storage.forget(), shelf.forget());
  const people = new made.People({ ...boot, say, language, forget, timeline });
  const { strip, deeds } = wireDeeds(page, made, people.announcer);
  const edges = (timeline.history.edges = new made.Edges(timeline, say, boot.title));
  made.salvage(storage, say("message.damaged_here"));
  made.wireOrders(page);
  timeline.waiting.changes = new made.Changes(timeline, say);
  const uploads = (page.uploads = wireUploads(page, made));
  page.showWaiting();
  const kept = (page.kept = wireKept(page, made, deeds));
  const half = { storage, room: boot.room, epoch: page.outbox.epoch };
  const editor = new made.Editor({ timeline, limit: boot.limits.text, say, kept: half, on: deeds });
  const actions = new made.Actions({ timeline, say, editor, deeds, page });
  page.editor = editor;
  new made.Writing({
    composer: page.composer,
    log: timeline.log,
    typing: (fields) => kept.get("typing") === "on" && page.desk.send("typing", fields),
    editLast: () => editor.editLast(),
  });
  const answers = made.wireAnswers(page, people, deeds);
  page.elsewhere = new made.Elsewhere({
    ...page.sending,
    room: boot.room,
    address: (room) => page.address(room),
    changed: () => (page.rooms?.mark(), uploads.flush()),
  });
  made.wireDoor(page, people);
  const header = (page.header = wireHeader(page, made, people.announcer));
  made.wireSilence(page, (text) => people.announcer.say(text));
  const rooms = (page.rooms = wireRooms(page, made, { announcer: people.announcer, deeds }));
  const warn = (detail) => deeds.warn(detail);
  const reactions = (page.reactions = new made.Reactions({ timeline, outbox: page.outbox, you: boot.you, say, storage, warn }));
  page.react = (row, anchor) => reactions.pick(row, anchor);
  const times = new made.Times(timeline.col, language);
  const { base } = boot;
  const files = new made.Files({
    ...{ timeline, base, pages: page.desk.pages, say, language, warn },
    kept: (local) => page.shelf?.get(local),
  });
  people.fills.files = (button) => (files.openAll(button), false);
  made.wireDress(timeline, [reactions, answers.quotes, files, actions.folding, times, made.botTag(say)]);
  const drafts = (page.drafts = wireDrafts(page, made));
  made.wirePaste();
  made.wireEmoji(page.composer, reactions, say("emoji.label"));
  addEventListener("pagehide", () => keepPlace(page));
  addEventListener("beforeunload", (event) => (storage.holdsTyped || shelf.holdsOnly) && event.preventDefault());
  made.wireViewport();
  const staging = (page.staging = wireStaging(page, made, { announcer: people.announcer, deeds }));
  deeds.stage = (files) => staging.restore(files);
  wireShared(page, made, warn);
  performance.mark("parts-ready");
  const { elsewhere } = page;
  const parts = { people, strip, deeds, edges, reactions, header, actions, elsewhere, kept, rooms, drafts, uploads, staging, files };
  made.wireModerating(page, parts);
  return { ...parts, ...answers, ...made.wireAttention(page, parts) };
}

/** The person's settings, applied wherever they were changed. */
function wireKept({ boot, desk, on, storage, timeline }, { Kept, appear }, deeds) {
  const kept = new Kept({
    values: boot.kept,
    storage,
    tell: (key, value) => desk.send("keep", { key, value }),
  });
  const show = () => appear(kept, (change) => timeline.scroll.hold(change));
  kept.on(show);
  show();
  on.refused = ({ code, detail }) => {
    if (code === "bad_setting") kept.refused(detail), deeds.warn(detail);
  };
  addEventListener("storage", ({ key }) => kept.stored(storage.own(key)));
  return kept;
}

/** The rooms, and all that speaks of what is unread. */
function wireRooms(page, made, { announcer, deeds }) {
  const { boot, say, storage, reading, desk, kept } = page;
  const icon = new URL(`${boot.static}/icon-unread.svg`, location.href).href;
  const badge = new made.Badge({ title: boot.title, say, icon });
  const pill = new made.Pill(page);
  const rooms = new made.Rooms({
    ...boot,
    home: page.root.href,
    address: (room) => page.address(room),
    say,
    storage,
    reading,
    hidden: () => page.header.settings.private,
    waiting: () => page.elsewhere.counts,
    kept,
    counted: (here, elsewhere) => badge.show(here, elsewhere),
  });
  page.header.on(() => rooms.mark());
  kept.on((keys) => keys.some((key) => /^(mute|draft):/.test(key)) && rooms.mark());
  page.unreadFrom = (id) => reading.unreadFrom(id);
  reading.counted = () => (pill.show(), rooms.count());
  pill.show();
  const shared = new PersonStorage(page.home);
  const isOld = storage.text("rooms") ?? shared.text("rooms");
  if (isOld) import("./oldrooms.js").then(({ addOld }) => addOld(rooms, storage, shared), () => {}); // or the next time
  const warn = () => deeds.warn(say("rooms.offline"));
  made.wireArranging({
    rooms,
    say,
    keep: (names) => kept.set("order", names.join(" ")),
    send: (name, fields) => desk.send(name, fields) || warn(),
    warn,
    tell: (text) => announcer.say(text),
  });
  return rooms;
}

function wireDeeds(page, { Strip, Deeds }, announcer) {
  const { timeline, desk, composer, outbox, say } = page;
  const strip = new Strip({
    say,
    hold: (change) => timeline.scroll.hold(change),
    standing: () => ({ failed: deeds.failed.length, updated: page.updated }),
    acts: {
      retry: () => desk.connection.retry(),
      resume: () => desk.connection.resume(),
      tryAll: () => deeds.tryAll(),
      reload: () => location.reload(),
    },
  });
  const alert = (text) => announcer.alert(text);
  const tell = (text) => announcer.say(text);
  const carry = (entry) => desk.carry(entry);
  const deeds = new Deeds({ composer, outbox, carry, strip, alert, tell, text: say });
  return { strip, deeds };
}

/** Files on their way, and how far they are. */
function wireUploads(page, { Status, Uploads, post }) {
  const { boot, desk, outbox, say, shelf, storage, timeline } = page;
  const { waiting } = timeline;
  const channel = new BroadcastChannel(`${storage.prefix}uploads`);
  const uploads = new Uploads({
    storage,
    shelf,
    say,
    outbox: (room) => (room === boot.room ? outbox : page.elsewhere.outbox(room)),
    address: (room) => page.address(room),
    online: () => desk.connection.online,
    post,
    moved: (entry) => waiting.row(entry.cid) && waiting.status.move(waiting.row(entry.cid), entry),
    tell: (news) => channel.postMessage(news),
  });
  channel.onmessage = ({ data }) => uploads.heard(data);
  waiting.status = new Status(say, (entry) => uploads.part(entry));
  return uploads;
}

function wireDrafts(page, { Drafts }) {
  const { boot, composer, desk, log, storage } = page;
  return new Drafts({
    storage,
    room: boot.room,
    limit: boot.limits.text,
    composer,
    tell: (key, value) => desk.send("keep", { key, value }),
    sent: (words) => log.messages.some(({ user, text }) => user === boot.you.user && text === words),
    marked: () => page.rooms.mark(),
  });
}

/** The files of the draft, and where they come from. */
function wireStaging(page, { Staging, wireGathering, wireVoice }, { announcer, deeds }) {
  const { boot, composer, say, shelf, storage } = page;
  const on = {
    warn: (detail) => deeds.warn(detail),
    alert: (text) => announcer.alert(text),
    tell: (text) => announcer.say(text),
    changed: () => page.rooms.mark(),
  };
  const staging = new Staging({ ...boot, composer, shelf, storage, key: page.key("staged"), say, on });
  const { area, form } = composer;
  const add = (files) => staging.add(files);
  wireGathering({ button: form.querySelector(".attach"), area, add, words: say("stage.drop") });
  wireVoice({ ...on, button: form.querySelector(".voice"), area, limit: boot.limits.file, say, add });
  const kept = Object.values({ ...localStorage });
  shelf.sweep((local) => kept.some((text) => text.includes(local)));
  return staging;
}

/** What other apps share with the chat, where it is installed. */
function wireShared({ composer, root, rooms, say, staging, storage }, { openSwitcher }, warn) {
  const choose = () => rooms.links.length > 1 && (openSwitcher(say("share.where")), true);
  const stage = ({ text, files }) => (composer.restore(text), staging.add(files));
  const about = { root, storage, stage, choose, warn: () => warn(say("share.failed")) };
  const begin = () => import("./sharing.js").then(({ wireSharing }) => wireSharing(about), () => {});
  addEventListener("appinstalled", begin);
  const installed = matchMedia("not all and (display-mode: browser)").matches;
  if (installed || location.hash.endsWith("shared") || storage.text("sharing")) begin();
}

function wireHeader({ boot, log: model, outbox, desk, timeline, say }, { Header }, announcer) {
  const online = () => desk.connection.online;
  return new Header({ ...boot, model, outbox, online, timeline, announcer, say });
}

/** Where one reads is where one comes back to (place.js). */
function keepPlace({ boot, storage, timeline }) {
  const { place } = timeline.scroll;
  const id = Number(place?.row.dataset.id);
  if (id) storage.write(`${boot.room}:place`, { id, top: place.top });
  else storage.remove(`${boot.room}:place`);
}
