// Where files come from: the + button, what is pasted, what is dropped anywhere on the page, what is
// recorded. A file never opens in place of the chat. Comes after the first messages.

import { element } from "./dom.js";
import { lazily } from "./lazily.js";

const QUIET = 700; // ms: while files are held over the page, an event comes at least every 350

const find = (selector) => document.querySelector(selector);
const modal = () => find("dialog[open], main[inert]");

/** `add(files)` takes them; `words`: what the page says while something is held over it. */
export function wireGathering({ button, area, add, words }) {
  wireChooser(button, area, add);
  wirePasting(area, add);
  wireDropping(area, add, words);
}

/** The button that records, where that is possible: not on plain http. `given` is what Voice takes. */
export function wireVoice({ button, ...given }) {
  if (!navigator.mediaDevices?.getUserMedia || !globalThis.MediaRecorder) return;
  const voice = lazily("voice", ({ Voice }) => new Voice({ button, ...given }));
  button.hidden = false;
  button.addEventListener("pointerdown", async (event) => {
    event.preventDefault(); // a keyboard stays
    if (event.button !== 0) return;
    let down = true;
    addEventListener("pointerup", () => (down = false), { once: true });
    const recorder = await voice();
    recorder?.press(down);
  });
  button.addEventListener("click", async ({ detail }) => detail === 0 && (await voice())?.press(false)); // a key
  button.addEventListener("contextmenu", (event) => event.preventDefault()); // of a finger that stays
}

/** The chooser of a phone offers its camera too, unless `accept` or `capture` narrow it down. */
function wireChooser(button, area, add) {
  const input = Object.assign(element("input"), { type: "file", multiple: true, hidden: true });
  button.after(input);
  button.addEventListener("pointerdown", (event) => event.preventDefault()); // a keyboard stays
  button.addEventListener("click", () => input.click());
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = ""; // the same one may be chosen again
    area.focus();
  });
}

function wirePasting(area, add) {
  addEventListener("paste", (event) => {
    const files = [...event.clipboardData.files];
    if (files.length === 0 || modal() || isText(event.clipboardData, files)) return;
    event.preventDefault();
    add(files);
    area.focus();
  });
}

/** Tables and documents come as a picture too; a file from a folder comes with its name as text. */
function isText(clipboard, files) {
  const text = clipboard.getData("text/plain").trim();
  const names = files.map(({ name }) => name);
  return text !== "" && !text.split(/\s*\n\s*/).every((line) => names.some((name) => line.endsWith(name)));
}

function wireDropping(area, add, words) {
  const hint = Object.assign(element("div", element("p", words)), { className: "dropping" });
  let own = false; // what is dragged is a part of this page
  let leaving = 0;
  const clear = () => (clearTimeout(leaving), hint.remove());
  const brings = ({ dataTransfer }) => !own && dataTransfer?.types.includes("Files");
  addEventListener("dragstart", () => (own = true));
  addEventListener("dragend", () => (own = false));
  addEventListener("dragover", (event) => {
    if (!brings(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = modal() ? "none" : "copy";
    clearTimeout(leaving); // no event says for sure that it has left the page: this one comes no more
    leaving = setTimeout(clear, QUIET);
    if (!hint.isConnected && !modal()) find("main").append(hint);
  });
  addEventListener("drop", (event) => {
    clear();
    if (!brings(event)) return;
    event.preventDefault();
    if (modal()) return;
    add([...event.dataTransfer.files]);
    area.focus();
  });
}
