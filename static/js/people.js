// Owns what the page tells of people: who is here, who is typing, what others said (for those who
// listen), and the dialogs to invite somebody and to change one's name. Knows no list of messages
// and no socket. Comes after the first messages: nobody needs it before the line is there.

import { clone, element, initials } from "./format.js";

const BREATH = 2_000; // ms in which announcements are gathered
const FEW = 3; // messages announced one by one
const SPEECH = 10_000; // ms
const SPOKEN = 200; // characters of an announcement
const TYPING = 5_000; // ms until it is forgotten
const COPIED = 2_000; // ms

const find = (selector) => document.querySelector(selector);

/** The panel of people and the line about them in the header; `typing` and `announcer` beside. */
export class People {
  constructor({ you, say, language }) {
    Object.assign(this, { you, say });
    this.typing = new Typing(say, language);
    this.announcer = new Announcer(say);
    wireDialogs();
    wireInvite(find("dialog#invite"), say);
    wireRename(find("form.rename"), you, say);
  }

  show({ total, here, people }) {
    const { say } = this;
    find(".top .sub").textContent =
      total < 2 ? say("people.alone") : say("people.count", { n: total, here });
    const rows = people.map((person) => this.#row(person));
    if (total > people.length) {
      const more = element("li", say("people.more", { n: total - people.length }));
      more.className = "more";
      rows.push(more);
    }
    find(".people ul").replaceChildren(...rows);
  }

  #row({ user, name, color, here = true }) {
    const row = clone("person");
    row.classList.add(`a${color}`);
    row.querySelector(".av").textContent = initials(name);
    row.querySelector(".pn").textContent = user === this.you.user ? this.say("you") : name;
    row.querySelector(".dot").classList.toggle("away", !here);
    row.querySelector(".vh").textContent = this.say(here ? "people.here" : "people.away");
    return row;
  }
}

/** Who is typing: one line, forgotten after a while, gone at once when the message lands. */
class Typing {
  #until = new Map(); // user -> {name, timer}

  constructor(say, language) {
    Object.assign(this, { say, place: find(".typing") });
    this.list = new Intl.ListFormat(language);
  }

  heard({ user, name }) {
    clearTimeout(this.#until.get(user)?.timer);
    this.#until.set(user, { name, timer: setTimeout(() => this.stopped(user), TYPING) });
    this.#show();
  }

  stopped(user) {
    clearTimeout(this.#until.get(user)?.timer);
    if (this.#until.delete(user)) this.#show();
  }

  #show() {
    const names = [...this.#until.values()].map(({ name }) => name);
    if (names.length === 0) return this.place.replaceChildren();
    const words =
      names.length > 3
        ? this.say("typing.several")
        : this.say("typing", { n: names.length, names: this.list.format(names) });
    if (this.place.childElementCount === 0) this.place.append(clone("dots"), document.createElement("span"));
    this.place.lastElementChild.textContent = words;
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

/** Copies a text; where the clipboard is refused (plain http) it is selected instead. */
export async function copy(text, select) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    select();
    return document.execCommand("copy");
  }
}

function wireDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  }
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

function wireRename(form, you, say) {
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
      else showName(Object.assign(you, { name: result.name, color: result.color }));
    } catch {
      error.textContent = say("me.failed");
    }
  });
}

function showName({ name }) {
  find(".me .pn").textContent = name;
  find(".me .av").textContent = initials(name);
  find("dialog#me").close();
}
