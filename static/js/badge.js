// Owns what tells of unread messages outside the list: title, icon, the badge of an installed app, and
// the button that opens the rooms on a narrow page.

import { element } from "./dom.js";

const MOST = 99; // unread messages that are counted

/** What is shown of a number of unread messages; "" for none. */
export const capped = (n) => (n > MOST ? `${MOST}+` : String(n || ""));

export class Badge {
  #icon = document.querySelector("link[rel=icon]");
  #plain = this.#icon.href;
  #menu = document.querySelector(".top .menu");
  #shown = "";

  constructor({ title, say, icon }) {
    Object.assign(this, { say, icon, title: say("room.title", { room: title, chat: say("app.name") }) });
  }

  /**
   * `here`: {unread, mentioned} of the room that is shown; `elsewhere`: the same of all others. The
   * title speaks of this room, and of what is meant for me anywhere.
   */
  show(here, elsewhere) {
    const mentioned = here.mentioned + elsewhere.mentioned;
    const news = [here.unread + elsewhere.mentioned, mentioned, elsewhere.unread];
    if (this.#shown === news.join()) return;
    this.#shown = news.join();
    const count = `${mentioned ? "@" : ""}${capped(news[0])}`;
    document.title = news[0] ? this.say("badge.title", { count, title: this.title }) : this.title;
    this.#icon.href = news[0] ? this.icon : this.#plain;
    if (mentioned) navigator.setAppBadge?.(mentioned);
    else navigator.clearAppBadge?.();
    this.#showMenu(elsewhere.unread);
  }

  #showMenu(unread) {
    const menu = this.#menu;
    menu.title = menu.ariaLabel = unread ? this.say("rooms.button", { n: unread }) : this.say("rooms.label");
    menu.querySelector(".pip")?.remove();
    if (unread) menu.append(Object.assign(element("span"), { className: "pip" }));
  }
}
