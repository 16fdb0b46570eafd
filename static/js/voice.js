// Owns the recording of a voice message: a file like any other, once it is done. Held, it ends with the
// press; pressed once, or by a key, with the next. Comes with the first press.

import { clone } from "./dom.js";

const HOLD = 500; // ms of a press that is one
const SHORT = 1_000; // ms: a press by mistake
const AWAY = 80; // px from the button: not wanted any more
const PIECE = 1_000; // ms
const BITS = 32_000; // a second: speech
const KINDS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
const ENDS = { "audio/webm": "webm", "audio/ogg": "ogg", "audio/mp4": "m4a" };

export class Voice {
  #bar = clone("recording");
  #recorder = null;
  #pieces = [];
  #began = 0;
  #pressed = 0; // when the pointer went down; 0 while it is up
  #ticking = 0;

  /** `add(files)` takes what was recorded, `limit` bytes at most; `warn(detail)` and `tell(text)`. */
  constructor({ button, area, limit, say, add, warn, tell }) {
    Object.assign(this, { button, area, limit, say, add, warn, tell });
    const away = ({ clientX, clientY }) => {
      const { left, right, top, bottom } = button.getBoundingClientRect();
      return Math.max(left - clientX, clientX - right, top - clientY, clientY - bottom) > AWAY;
    };
    addEventListener("pointerup", (event) => this.#pressed && this.#release(away(event)));
    addEventListener("pointercancel", () => (this.#pressed = 0));
    addEventListener("keydown", (event) => this.#recorder && event.key === "Escape" && (event.preventDefault(), this.cancel()));
    addEventListener("beforeunload", (event) => this.#recorder && event.preventDefault());
    this.#bar.querySelector("button").addEventListener("click", () => this.cancel());
  }

  /** The button goes down; `held`: by a pointer, which may stay. */
  press(held) {
    if (this.#recorder) return this.#stop();
    this.#pressed = held ? Date.now() : 0;
    this.#begin();
  }

  cancel() {
    this.#pieces = null;
    this.#stop();
  }

  #stop() {
    if (this.#recorder?.state === "recording") this.#recorder.stop();
  }

  #release(away) {
    const long = Date.now() - this.#pressed >= HOLD;
    this.#pressed = 0;
    if (away) this.cancel();
    else if (long) this.#stop();
    this.#hint();
  }

  async #begin() {
    if (this.#began) return; // it is being asked for
    this.#began = Date.now();
    this.#pieces = [];
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch((error) => this.#fail(error));
    if (!stream) return;
    this.stream = stream;
    if (!this.#pieces) return this.#end(); // cancelled while it was asked for
    const mimeType = KINDS.find((kind) => MediaRecorder.isTypeSupported(kind));
    const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS });
    this.#recorder = recorder;
    this.#began = Date.now();
    recorder.ondataavailable = ({ data }) => this.#keep(data);
    recorder.onstop = () => this.#end(recorder.mimeType.split(";")[0]);
    recorder.start(PIECE);
    this.#show(true);
    this.tell(this.say("voice.began"));
  }

  #fail({ name }) {
    this.#began = this.#pressed = 0;
    this.warn(this.say(name === "NotAllowedError" ? "voice.denied" : "voice.none"));
  }

  #keep(piece) {
    this.#pieces?.push(piece);
    const size = this.#pieces?.reduce((sum, { size }) => sum + size, 0) ?? 0;
    if (size > this.limit * 0.95) this.#stop();
  }

  async #end(type) {
    const [pieces, time] = [this.#pieces, Date.now() - this.#began];
    for (const track of this.stream.getTracks()) track.stop(); // the browser shows that it listens
    this.#recorder = null;
    this.#began = 0;
    this.#show(false);
    if (!pieces) return;
    if (time < SHORT) return this.warn(this.say("voice.short"));
    const blob = await timed(new Blob(pieces, { type }), time);
    this.add([new File([blob], `${this.say("voice.name")}.${ENDS[type] ?? "audio"}`, { type })]);
  }

  #show(recording) {
    const { button, say } = this;
    button.ariaPressed = String(recording);
    button.title = button.ariaLabel = say(recording ? "voice.stop" : "voice.start");
    button.querySelector("use").setAttribute("href", recording ? "#i-stop" : "#i-mic");
    clearInterval(this.#ticking);
    if (!recording) return this.#bar.remove();
    this.#tick();
    this.#hint();
    this.#ticking = setInterval(() => this.#tick(), 1_000);
    this.area.parentElement.querySelector(".attach").before(this.#bar);
  }

  #tick() {
    const seconds = Math.floor((Date.now() - this.#began) / 1_000);
    this.#bar.querySelector(".time").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  }

  #hint() {
    this.#bar.querySelector(".hint").textContent = this.say(this.#pressed ? "voice.hold" : "voice.press");
  }
}

const [INFO, SEGMENT] = [[0x15, 0x49, 0xa9, 0x66], [0x18, 0x53, 0x80, 0x67]];

/** Recorders do not write into WebM how long it is (RFC 9559, 5.1.2.12), and players show nonsense. */
async function timed(blob, time) {
  const head = [...new Uint8Array(await blob.slice(0, 512).arrayBuffer())];
  const find = (id) => head.findIndex((_, at) => id.every((byte, n) => head[at + n] === byte));
  const [segment, info] = [find(SEGMENT), find(INFO)];
  const open = segment >= 0 && head.slice(segment + 4, segment + 12).join() === "1,255,255,255,255,255,255,255";
  if (!open || info < 0) return blob; // nothing else may be made longer
  const start = info + 4;
  const width = Math.clz32(head[start]) - 23;
  const size = head.slice(start + 1, start + width).reduce((sum, byte) => sum * 256 + byte, head[start] & (0xff >> width));
  const end = start + width + size;
  const made = new DataView(new ArrayBuffer(8 + 11));
  made.setBigUint64(0, (1n << 56n) | BigInt(size + 11));
  made.setUint16(8, 0x4489);
  made.setUint8(10, 0x88);
  made.setFloat64(11, time);
  const parts = [blob.slice(0, start), made.buffer.slice(0, 8), blob.slice(start + width, end), made.buffer.slice(8), blob.slice(end)];
  return new Blob(parts, { type: blob.type });
}
