// Owns what the page for looking after the chat shows. It is read from the server, whole, and put in
// place of what was there section by section, with the focus and the marks where they were.

import { clock, dayName, dayOf, regional } from "./words.js";

const PAUSE = 150; // ms after a letter

export class Sections {
  #waits = 0;
  #asked = 0; // of several answers only the last one asked for counts

  constructor(desk, language) {
    Object.assign(this, { desk, language: regional(language) });
  }

  /** Makes what the server sent ready for this person: their clock, and controls that work. */
  begin(root = document) {
    for (const time of root.querySelectorAll("time[datetime]")) time.textContent = this.#when(time);
    for (const group of root.querySelectorAll("fieldset")) group.disabled = false;
    if (root === document) this.chose();
  }

  /** Everything as it is now. */
  async read(address = location.href) {
    const asked = ++this.#asked;
    const answer = await fetch(address, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer) return; // the next look may have a line
    if (!answer.ok) return location.reload(); // no longer for this person; the page says so
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (asked !== this.#asked) return;
    this.begin(fresh);
    for (const part of fresh.querySelectorAll(".desk > :is(section, dl)")) this.#put(part);
    for (const kind of ["room", "rooms"]) refill(kind, fresh);
    document.title = fresh.title;
    this.chose();
  }

  /** Another view: of more people, or of newcomers of another time. */
  go(address) {
    history.replaceState(null, "", address);
    return this.read();
  }

  /** Whoever is called like this, as it is typed. */
  find(text) {
    const address = new URL(location.href);
    address.searchParams.set("find", text);
    clearTimeout(this.#waits);
    this.#waits = setTimeout(() => this.go(address), PAUSE);
  }

  #put(fresh) {
    const old = document.getElementById(fresh.id);
    if (old?.querySelector("[role=menu]")) return; // its menu would go; the next look is soon
    if (!old || old.isEqualNode(fresh)) return this.#settle(old);
    const { activeElement } = document;
    const key = old.contains(activeElement) && (activeElement.dataset.key ?? activeElement.value ?? "");
    const field = activeElement.matches("input[type=search], .rename input") && activeElement;
    const chosen = new Set([...old.querySelectorAll("[name=who]:checked")].map(({ value }) => value));
    if (key !== false && field) keepField(field, fresh);
    old.replaceWith(fresh);
    for (const box of fresh.querySelectorAll("[name=who]:enabled")) box.checked = chosen.has(box.value);
    if (key !== false) focusOn(fresh, key);
  }

  /** What was chosen and refused goes back to what is so. */
  #settle(part) {
    for (const option of part?.querySelectorAll("option") ?? []) option.selected = option.defaultSelected;
    for (const radio of part?.querySelectorAll("[type=radio]") ?? []) radio.checked = radio.defaultChecked;
  }

  /** "Today 09:12"; within a sentence "today 09:12". Of what is long ago or far off the day is enough. */
  #when({ dateTime, previousSibling }) {
    const at = Date.parse(dateTime);
    const ago = dayOf(Date.now()) - dayOf(at);
    const name = dayName(dayOf(at), dayOf(Date.now()), this.language);
    const day = previousSibling?.textContent.trim() && [0, 1].includes(ago) ? name.toLocaleLowerCase(this.language) : name;
    return Math.abs(ago) < 7 ? `${day} ${clock(at)}` : day;
  }

  // --- newcomers that are chosen

  #boxes(mark = "") {
    return [...this.desk.querySelectorAll(`[name=who]:enabled${mark}`)];
  }

  chooseAll({ checked }) {
    for (const box of this.#boxes()) box.checked = checked;
    this.chose();
  }

  /** The box for all says whether some are, and nothing is offered for none. */
  chose() {
    const all = this.desk.querySelector("[data-all]");
    if (!all) return;
    const [some, every] = [this.#boxes(":checked").length, this.#boxes().length];
    Object.assign(all, { checked: some > 0 && some === every, indeterminate: some > 0 && some < every });
    this.desk.querySelector("[data-chosen]").ariaDisabled = some === 0;
  }

  /** Who is chosen, for an order. */
  chosen() {
    const users = this.#boxes(":checked").map(({ value }) => value);
    return users.length ? { users, n: users.length } : null;
  }
}

/** Somebody is typing in it: it stays, with what it has by now. */
function keepField(field, fresh) {
  const place = fresh.querySelector(`[name=${field.name}]`);
  place?.replaceWith(field);
}

/** The same control again; where it is gone, what it belonged to. */
function focusOn(part, key) {
  const same = key && part.querySelector(`[data-key="${CSS.escape(key)}"], input[value="${CSS.escape(key)}"]`);
  (same || part.querySelector("h2"))?.focus({ preventScroll: true });
}

/** The rooms that a dialog lists, where it is not open. */
function refill(name, fresh) {
  const [old, now] = [document, fresh].map((of) => of.querySelector(`dialog:not([open]) [name=${name}]`)?.closest("select, fieldset"));
  if (old && now) old.replaceWith(now);
}
