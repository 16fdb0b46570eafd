// Owns the dialog of the bell: what a person is told of in this room, until when it is muted, and
// whether this device may say anything. Comes when it is opened first.

import { element } from "./dom.js";
import { levelOf, morning } from "./levels.js";
import { choices, hint, switchRow } from "./rows.js";
import { untilOf } from "./times.js";

const LEVELS = ["all", "mentions", "none"];
const HOUR = 3_600_000; // ms

/** Says in words what keeps this device from notifying, or lets one switch it. */
export function deviceRow(notify, say) {
  const words = [say("settings.device")];
  const row = switchRow(words, [true, false], { get: () => notify.state === "on", set: (on) => notify.turn(on) });
  const said = element("div");
  const node = element("div", row.node, said);
  const show = () => {
    const { state } = notify;
    const able = state === "on" || state === "off";
    row.node.hidden = !able;
    said.replaceChildren(...(able ? [] : [hint(state === "insecure" ? "lock" : "belloff", say(`bell.${state}`))]));
    row.show();
  };
  return { node, show };
}

export class Bell {
  constructor({ dialog, notify, kept, say, room }) {
    Object.assign(this, { dialog, notify, kept, say, room });
    this.device = deviceRow(notify, say);
    const options = LEVELS.map((level) => [level, say(`bell.${level}`), say(`bell.${level}.hint`)]);
    const setting = { get: () => levelOf(kept, room), set: (level) => kept.set(`level:${room}`, level) };
    this.level = choices(say("bell.level"), options, setting);
    this.mute = element("div", element("span"), element("div"));
    this.mute.className = "set mute";
    this.mute.lastChild.className = "pair";
    this.mute.firstChild.role = "status";
    for (const node of [this.device.node, this.level.node, this.mute]) {
      dialog.append(Object.assign(element("section", node), { className: "part" }));
    }
    kept.on(() => this.show());
    notify.on(() => this.show());
  }

  /** Everything as it is now; where it opens one begins at the first choice there is. */
  show() {
    this.device.show();
    this.level.show();
    for (const input of this.dialog.querySelectorAll("input")) input.autofocus = input.type !== "radio" || input.checked;
    this.#showMute();
  }

  /** For how long, or until when and the way back. The focus stays where something was pressed. */
  #showMute() {
    const { mute, notify, room, say } = this;
    const until = notify.muted(room);
    if (mute.dataset.until === String(until)) return;
    mute.dataset.until = until;
    const held = mute.contains(document.activeElement);
    const hint = Object.assign(element("span", say("bell.mute.hint")), { className: "sub" });
    mute.firstChild.replaceChildren(until ? this.#mutedWords(until) : say("bell.mute"), hint);
    const buttons = until ? [this.#button("bell.unmute", () => "")] : this.#lengths();
    mute.lastChild.replaceChildren(...buttons);
    if (held) buttons[0].focus();
  }

  #mutedWords(until) {
    if (until === Infinity) return this.say("bell.muted_ever");
    return this.say("bell.muted_until", { time: untilOf(until) });
  }

  #lengths() {
    return [
      this.#button("bell.mute.hour", () => Date.now() + HOUR),
      this.#button("bell.mute.morning", () => morning(Date.now())),
      this.#button("bell.mute.ever", () => "ever"),
    ];
  }

  #button(words, until) {
    const button = Object.assign(element("button", this.say(words)), { className: "btn s", type: "button" });
    button.addEventListener("click", () => this.kept.set(`mute:${this.room}`, String(until())));
    return button;
  }
}
