// Owns the questions of the page for looking after the chat. A form is an order: what its data-order
// has, whom it is about, and its fields, each by what its data- says of it.

import { copy } from "./dialogs.js";
import { roomLink } from "./invite.js";

const FOREVER = 253_402_300_800_000; // ms: the year 10000
const COPIED = 2_000; // ms

export class Dialogs {
  #about = {};
  #more = {};

  /** `act(order, more)` gives an order; its answer is null where it was refused. */
  constructor({ say, base, network, act }) {
    Object.assign(this, { say, base, network, act });
    for (const dialog of document.querySelectorAll("dialog")) this.#wire(dialog);
  }

  /** Asks about somebody or something; nothing without anybody. */
  open(name, about) {
    if (!about) return;
    const dialog = document.getElementById(name);
    const form = dialog.querySelector("form");
    this.#about = about;
    this.#more = {};
    form.reset();
    if ("changes" in form.dataset) fill(form, about);
    dialog.querySelector(".err")?.replaceChildren();
    for (const place of dialog.querySelectorAll("[data-say]")) place.textContent = this.say(place.dataset.say, about);
    dialog.showModal();
  }

  /** Asks once whether that is meant. */
  sure(question, yes, order, more) {
    const dialog = document.getElementById("sure");
    dialog.querySelector(".asked").textContent = question;
    dialog.querySelector(".yes").textContent = yes;
    dialog.querySelector("form").dataset.order = JSON.stringify(order);
    this.open("sure", {});
    this.#more = more;
    dialog.querySelector(".yes").focus();
  }

  #wire(dialog) {
    dialog.addEventListener("click", ({ target }) => {
      const button = target.closest("button");
      if (target === dialog || button?.matches(".close")) dialog.close();
      if (button?.dataset.copies) this.#copy(dialog, button);
    });
    dialog.querySelector("form[data-order]")?.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit(dialog, event.target);
    });
  }

  async #submit(dialog, form) {
    const about = this.#about;
    const { done, link, undo } = form.dataset;
    const fields = fieldsOf(form);
    const before = "changes" in form.dataset && onlyChanged(fields, about);
    const order = this.#order(form, about, fields);
    const more = {
      said: done ? this.say(done, about) : "",
      undo: before ? { ...order, ...before } : undo ? { ...order, ...JSON.parse(undo), user: about.user } : null,
      place: before && about.room,
      ...this.#more,
      asked: (text) => (dialog.querySelector(".err").textContent = text),
    };
    if (before && !Object.keys(before).length) return dialog.close();
    const button = form.querySelector(".yes");
    button.disabled = true;
    const answer = await this.act(order, more);
    button.disabled = false;
    if (!answer) return;
    dialog.close();
    if (link) this.#made(link, answer);
  }

  /** What the form asks for, of whom it is about. */
  #order(form, { user, users }, fields) {
    const order = { ...JSON.parse(form.dataset.order), ...fields };
    if ("users" in order) order.users = users ?? [user];
    else if (user) order.user = user;
    return order;
  }

  /** A link that is shown this once. */
  #made(way, { token, code }) {
    const dialog = document.getElementById("made");
    const [path, mark] = way.endsWith("#") ? [way.slice(0, -1), "#"] : [way + token, ""];
    const { href, narrow } = roomLink(new URL(this.base + path, document.baseURI), this.network);
    const address = mark ? href + mark + token : href;
    dialog.querySelector(".link").value = address;
    dialog.querySelector(".line").value = `curl -d 'disk full' ${address}`;
    dialog.querySelector(".curl").hidden = mark === "#";
    dialog.querySelector(".by-code").hidden = !code;
    dialog.querySelector(".pin").textContent = code ?? "";
    dialog.querySelector(".narrow-net").hidden = !narrow;
    dialog.showModal();
    dialog.querySelector(".link").select();
  }

  async #copy(dialog, button) {
    const field = dialog.querySelector(button.dataset.copies);
    const done = await copy(field.value, () => field.select());
    const words = this.say(done ? "invite.copied" : "invite.select");
    dialog.querySelector("[role=status]").textContent = words;
    button.textContent = words;
    setTimeout(() => (button.textContent = this.say("invite.copy")), COPIED);
  }
}

/** The fields of a form as an order has them. */
function fieldsOf(form) {
  const fields = {};
  for (const { name, value, checked, type, dataset } of form.elements) {
    if (!name) continue;
    if ("list" in dataset) fields[name] = [...(fields[name] ?? []), ...(checked ? [value] : [])];
    else if (type === "checkbox") fields[name] = checked;
    else if ("ahead" in dataset) fields[name] = value ? Date.now() + value * 1000 : FOREVER;
    else if ("ago" in dataset) value === "no" || (fields[name] = value ? Date.now() - value * 1000 : 0);
    else if ("keep" in dataset) fields[name] = value ? Number(value) : null;
    else if ("number" in dataset) fields[name] = Number(value);
    else if (value) fields[name] = value;
  }
  return fields;
}

/** Shows in a form how things are. */
function fill(form, about) {
  for (const field of form.elements) {
    const is = about[field.name];
    if (is === undefined || (field.name === "slow" && !is)) continue;
    if (field.type === "checkbox") field.checked = is;
    else {
      const value = is === null ? "" : String(is);
      if (![...field.options].some((option) => option.value === value)) field.add(new Option(value, value));
      field.value = value;
    }
  }
}

/** Leaves of these fields what is to be another than it is; gives how that is now. */
function onlyChanged(fields, about) {
  const before = {};
  const idle = fields.mode !== "slow"; // how slowly says nothing then
  for (const [name, value] of Object.entries(fields)) {
    if (value === about[name] || (name === "slow" && idle)) delete fields[name];
    else before[name] = about[name];
  }
  if (before.slow === 0) delete before.slow;
  return before;
}
