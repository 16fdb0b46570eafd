// Wires what may disturb a person and what they may set about it: notifications, the bell that says
// what one is told of, the two dialogs (fetched when they are opened first), and what is read aloud.

import { lazily } from "./lazily.js";
import { levelOf } from "./levels.js";
import { Notify } from "./notify.js";
import { Tabs } from "./tabs.js";

const find = (selector) => document.querySelector(selector);

/** The parts are those of rest.js; gives `notify`, and `arrived(message)` for each that is new and live. */
export function wireAttention(page, { people, kept, deeds }) {
  const { boot, say, storage } = page;
  const { room, title, you } = boot;
  const sound = lazily("sound", (made) => made);
  const notify = (page.notify = new Notify({
    ...{ you, room, title, rooms: boot.rooms, say, kept, storage },
    tabs: new Tabs(storage.prefix, room),
    goTo: (where, id) => goTo(page, where, id),
    play: async () => (await sound())?.play(), // fetched without a line it is silent
  }));
  const show = () => showBell(notify, kept, say, room);
  notify.on(show);
  show();
  const about = { ...boot, language: page.language, hear: (listener) => (page.signedIn = listener) };
  wireDialogs(people, { ...about, kept, notify, say, warn: () => deeds.warn(say("settings.late")) }, page);
  const arrived = (message) => {
    const aloud = kept.get("announce");
    if (aloud === "all" || (aloud === "mentions" && notify.isMeant(message))) people.announcer.message(message);
    if (message.id > page.reading.read) notify.message(message);
  };
  return { notify, arrived };
}

/** A press on a notification leads to what it tells of. */
function goTo(page, room, id) {
  focus();
  if (room !== page.boot.room) location.assign(page.address(room));
  else if (location.hash === `#m${id}`) dispatchEvent(new Event("hashchange")); // there again
  else location.hash = `m${id}`;
}

function showBell(notify, kept, say, room) {
  const level = levelOf(kept, room);
  const muted = notify.muted(room) > 0;
  const words = say(muted ? "bell.label.muted" : `bell.label.${level}`);
  const silent = muted || level === "none" || notify.state !== "on";
  for (const button of document.querySelectorAll("[data-opens=bell]")) {
    const text = button.querySelector("span");
    if (text) text.textContent = words;
    else button.title = button.ariaLabel = words;
    button.ariaDescription = notify.state === "on" ? null : say("bell.off_here");
    button.querySelector("use").setAttribute("href", silent ? "#i-belloff" : "#i-bell");
  }
}

/** What is in the dialogs comes with their first use; the bell asks within the press that opens it. */
function wireDialogs(people, { warn, ...given }, page) {
  const made = {
    me: filling("settings", warn, ({ Settings }) => new Settings({ dialog: find("dialog#me"), ...given }), "links"),
    bell: filling("bell", warn, ({ Bell }) => new Bell({ dialog: find("dialog#bell"), ...given })),
  };
  people.fills.me = async () => (await made.me()) || true; // name and signing out are there anyway
  const opening = (settings) => ({ show: () => settings.open() });
  const room = ({ RoomSettings }) => opening(new RoomSettings({ dialog: find("dialog#room"), page, ...given }));
  people.fills.room = filling("roomsettings", warn, room, "roomsettings");
  people.fills.bell = () => (given.notify.ask(), made.bell());
}

/** `fill()` shows a dialog as things are now, after it was fetched and made; false if that failed. */
function filling(name, warn, make, ...sheets) {
  const made = lazily(name, make, "settings", ...sheets);
  return async () => {
    const dialog = await made();
    if (dialog) dialog.show();
    else warn();
    return Boolean(dialog);
  };
}
