// Owns how large a picture is in its stage and where: by fingers, wheel, keys and presses. Knows no
// picture but as a box. Fetched with the viewer.

const LARGEST = 8; // times its size in the stage
const CLOSE = 2.5; // times, with a press
const STEP = 1.5; // times, with a key
const SWIPE = 60; // px a finger goes to mean it
const STILL = 8; // px it may tremble
const TWICE = 300; // ms between two taps

export class Zoom {
  #scale = 1;
  #x = 0; // px from the middle
  #y = 0;
  #fingers = new Map(); // pointer -> where it is
  #moved = false;
  #tapped = 0; // when

  /** `swiped(side)`: to the "left", "right" or "down"; `left()`: pressed beside the picture. */
  constructor({ stage, image, swiped, left }) {
    Object.assign(this, { stage, image, swiped, left });
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, (event) => this.#up(event));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    image.draggable = false;
  }

  /** As large as the stage allows. */
  reset() {
    [this.#scale, this.#x, this.#y] = [1, 0, 0];
    this.#fingers.clear();
    this.#draw();
  }

  /** Nearer (1) or further (-1), in the middle. */
  step(way) {
    this.#to(this.#scale * STEP ** way, { x: 0, y: 0 });
  }

  #to(scale, { x, y }) {
    const next = Math.min(LARGEST, Math.max(1, scale));
    const by = next / this.#scale;
    this.#scale = next;
    this.#x = x - (x - this.#x) * by; // what is at this point stays there
    this.#y = y - (y - this.#y) * by;
    this.#hold();
  }

  /** No edge of the picture comes further in than that of the stage. */
  #hold() {
    const room = (picture, stage) => Math.max(0, (picture * this.#scale - stage) / 2);
    const { image, stage } = this;
    const [wide, high] = [room(image.clientWidth, stage.clientWidth), room(image.clientHeight, stage.clientHeight)];
    this.#x = Math.min(wide, Math.max(-wide, this.#x));
    this.#y = Math.min(high, Math.max(-high, this.#y));
    this.#draw();
  }

  #draw() {
    const { image, stage } = this;
    image.style.transform = this.#scale === 1 && !this.#x && !this.#y ? "" : `translate(${this.#x}px, ${this.#y}px) scale(${this.#scale})`;
    stage.classList.toggle("near", this.#scale > 1);
  }

  /** Where something happened, from the middle of the stage. */
  #point({ clientX, clientY }) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return { x: clientX - left - width / 2, y: clientY - top - height / 2 };
  }

  #down(event) {
    if (event.button > 0) return;
    this.stage.setPointerCapture(event.pointerId);
    if (this.#fingers.size === 0) this.#moved = false;
    this.#fingers.set(event.pointerId, { ...this.#point(event), from: this.#point(event), on: event.target === this.image });
  }

  #move(event) {
    const finger = this.#fingers.get(event.pointerId);
    if (!finger) return;
    const others = [...this.#fingers.values()].filter((one) => one !== finger);
    const before = { ...finger };
    Object.assign(finger, this.#point(event));
    if (Math.hypot(finger.x - finger.from.x, finger.y - finger.from.y) > STILL) this.#moved = true;
    if (others.length === 1) return this.#pinch(before, finger, others[0]);
    if (others.length > 1 || !this.#moved) return;
    this.#x += finger.x - before.x;
    this.#y += finger.y - before.y;
    if (this.#scale > 1) this.#hold();
    else if (event.pointerType === "touch") this.#draw(); // it follows the finger
  }

  #pinch(before, finger, other) {
    this.#moved = true;
    const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y);
    const middle = { x: (finger.x + other.x) / 2, y: (finger.y + other.y) / 2 };
    this.#x += (finger.x - before.x) / 2;
    this.#y += (finger.y - before.y) / 2;
    this.#to(this.#scale * (apart(finger) / Math.max(1, apart(before))), middle);
  }

  #up(event) {
    const finger = this.#fingers.get(event.pointerId);
    this.#fingers.delete(event.pointerId);
    if (!finger || this.#fingers.size > 0) return;
    if (event.type === "pointercancel") return this.#hold();
    if (!this.#moved) return this.#press(event, finger);
    if (this.#scale === 1 && event.pointerType === "touch") this.#swipe(finger.x - finger.from.x, finger.y - finger.from.y);
  }

  #swipe(x, y) {
    this.#hold();
    if (Math.abs(x) > SWIPE && Math.abs(x) > Math.abs(y)) this.swiped(x < 0 ? "left" : "right");
    else if (y > SWIPE && y > Math.abs(x)) this.swiped("down");
  }

  /** A press brings the picture nearer or back; a finger presses twice. */
  #press(event, finger) {
    if (!finger.on) return this.left();
    const now = Date.now();
    const second = event.pointerType === "mouse" || now - this.#tapped < TWICE;
    this.#tapped = second ? 0 : now;
    if (second) this.#to(this.#scale > 1 ? 1 : CLOSE, this.#point(event));
  }

  #wheel(event) {
    event.preventDefault();
    this.#to(this.#scale * Math.exp(-event.deltaY * (event.ctrlKey ? 0.01 : 0.002)), this.#point(event));
  }
}
