// Speaks to those who listen: what others said, and what went wrong.

import { wordsOf } from "./attachments.js";
import { element } from "./dom.js";

const BREATH = 2_000; // ms in which announcements are gathered
const FEW = 3; // messages announced one by one
const SPEECH = 10_000; // ms
const SPOKEN = 200; // characters of an announcement

/** Speaks new messages of others: each for itself, or how many when they come thick. */
export class Announcer {
  #heard = [];
  #forgetting = 0;

  constructor(say, you) {
    Object.assign(this, { words: say, you, place: document.querySelector("#announcer"), alarm: document.querySelector("#alert") });
  }

  message(message) {
    const { name, mentions = {} } = message;
    const text = wordsOf(message, this.words);
    const called = mentions[this.you.user]; // "" if only what I said is answered
    const words = called ? "announce.mention" : called === "" ? "announce.reply" : "announce.message";
    this.#heard.push(this.words(words, { name, text: [...text].slice(0, SPOKEN).join("") }));
    if (this.#heard.length > 1) return;
    setTimeout(() => this.#speak(), BREATH);
  }

  /** What a person did themselves and may not see. */
  say(text) {
    this.#put([text]);
  }

  alert(text) {
    this.alarm.textContent = "";
    requestAnimationFrame(() => (this.alarm.textContent = text)); // the same words are said again
  }

  #speak() {
    const many = this.#heard.length > FEW;
    const lines = many ? [this.words("announce.many", { n: this.#heard.length })] : this.#heard;
    this.#put(lines);
    this.#heard = [];
  }

  #put(lines) {
    this.place.replaceChildren(...lines.map((line) => element("p", line)));
    // Once spoken it goes: a message deleted later must not stay on in here.
    clearTimeout(this.#forgetting);
    this.#forgetting = setTimeout(() => this.place.replaceChildren(), SPEECH);
  }
}
