// Wires who comes in: the dialog that invites, and the news of another device of this person. What they
// show is fetched on first use.

import { lazily } from "./lazily.js";

const DOORS = { invite: "door", locked: "locked" }; // why the address of a room is not enough

export function wireDoor(page, people) {
  const { boot, language, log, order, say, timeline } = page;
  const inviting = lazily("inviting", ({ Inviting }) => new Inviting({
    ...{ boot, language, order, say },
    dialog: document.querySelector("dialog#invite"),
    closed: () => DOORS[boot.door] ?? (log.settings?.private ? "private" : ""),
    people: () => people.known.people,
  }), "settings", "links");
  people.fills.invite = async () => (await (await inviting())?.show(), true); // the plain link is there anyway
  const hold = (change) => timeline.scroll.hold(change);
  const alert = (text) => people.announcer.alert(text);
  const teller = lazily("newcomer", ({ makeTeller }) => makeTeller({ ...boot, say, hold, alert }), "links");
  page.on.device = async (device) => {
    page.signedIn?.(device);
    (await teller())?.(device);
  };
}
