// Owns the one sound of the page: two soft notes, made here. Comes with its first use.

const NOTES = [
  [660, 0], // Hz, seconds
  [880, 0.09],
];
const LENGTH = 0.25; // seconds a note rings
const LOUD = 0.12;

let context = null;

/** Plays it, unless nobody has touched the page yet: then the browser allows none. */
export function play() {
  if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return;
  context ??= new AudioContext();
  for (const [pitch, after] of NOTES) ring(pitch, context.currentTime + after);
}

function ring(pitch, at) {
  const [tone, volume] = [context.createOscillator(), context.createGain()];
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(LOUD, at + 0.01);
  volume.gain.exponentialRampToValueAtTime(0.001, at + LENGTH);
  tone.connect(volume).connect(context.destination);
  tone.start(at);
  tone.stop(at + LENGTH);
}
