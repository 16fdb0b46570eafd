// The page for looking after the chat: its only wiring. What is shown is the server's; a button has the
// order in it that it stands for.

import { copyFrom } from "./dialogs.js";
import { roomLink } from "./invite.js";
import { Dialogs } from "./owner-dialogs.js";
import { Menus } from "./owner-menu.js";
import { send } from "./owner-orders.js";
import { Sections } from "./owner-sections.js";
import { speaker } from "./words.js";

const OFTEN = 15_000; // ms
const { base, network, words } = JSON.parse(document.querySelector("#boot").textContent);
const say = speaker(words, document.documentElement.lang);
const desk = document.querySelector(".desk");
const toast = document.querySelector(".toast");
const sections = new Sections(desk, document.documentElement.lang);
const dialogs = new Dialogs({ say, base, network, act });
const menus = new Menus();

/** Gives an order, in a room if it is of one, and shows what has become of it; `asked` shows a refusal
 *  where it was asked for. */
async function act(order, { said = "", undo = null, place = "", asked = tell } = {}) {
  let answer;
  try {
    answer = await send(`${base}orders${place ? `?${new URLSearchParams({ room: place })}` : ""}`, order);
  } catch (error) {
    asked(error.message || say("owner.failed"));
    await sections.read();
    return null;
  }
  tell(said, undo, place);
  await sections.read();
  return answer;
}

/** Says what was done, with the way back if there is one. */
function tell(text, undo = null, place = "") {
  const [sentence, back] = toast.children;
  toast.hidden = !text;
  sentence.textContent = text;
  back.hidden = !undo;
  back.onclick = undo && (() => act(undo, { said: say("owner.undone"), place }));
}

/** What a button or a choice has in it. Of a menu it is about whatever the menu was opened for. */
function ordered(node, about = {}) {
  const { order, undo, said, done } = node.dataset;
  const { user, room } = about;
  const fields = { ...JSON.parse(order), ...(user && { user }), ...(room && { room }) };
  return [fields, { said: said ?? (done ? say(done, about) : ""), undo: undo ? JSON.parse(undo) : null }];
}

function press(button, about) {
  const { opens, ask, yes, chosen } = button.dataset;
  if (opens) return dialogs.open(opens, chosen ? sections.chosen(chosen) : about);
  if (button.dataset.copy !== undefined) return copyLink(about);
  const [order, more] = ordered(button, about);
  if (ask) return dialogs.sure(words[ask] ? say(ask, about) : ask, yes, order, more);
  return act(order, more);
}

async function copyLink({ href, title }) {
  const link = roomLink(new URL(href || "./", document.baseURI), network).href;
  if (await copyFrom(desk, link)) tell(say("owner.copied", { title }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, a");
  if (!event.target.closest("[role=menu], [data-menu]")) menus.close();
  if (!button) return;
  if (button.matches(".toast .ib")) return tell("");
  if (button.matches("[data-menu]")) return menus.open(button);
  if (button.matches("[role=menuitem]")) return press(button, menus.close());
  if (button.matches("a[href^='?']")) return event.preventDefault(), sections.go(button.href);
  if (button.matches("[data-order], [data-opens]")) press(button, {});
});

desk.addEventListener("change", ({ target }) => {
  if (target.matches("[data-all]")) return sections.chooseAll(target);
  if (target.matches("[name=who]")) return sections.chose();
  const choice = target.selectedOptions?.[0] ?? target;
  if (choice.dataset.order) act(...ordered(choice));
});

desk.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (!form.dataset.order) return;
  const fields = Object.fromEntries(new FormData(form));
  act({ ...JSON.parse(form.dataset.order), ...fields }, { said: say(form.dataset.done, fields) });
});

desk.addEventListener("input", ({ target }) => {
  if (target.matches("[name=find]")) sections.find(target.value);
});

/** Others look after the chat too. A list that is open is not taken away from under a hand. */
function lookAgain() {
  if (!document.hidden && !document.activeElement.matches("select")) sections.read();
}

document.addEventListener("visibilitychange", lookAgain);
setInterval(lookAgain, OFTEN);
sections.begin();
