// Makes pictures smaller before they are sent, in the browser: no side longer than SIDE. What is small
// already, moves, or cannot be drawn stays as it is. Comes with the first picture.

const SIDE = 2_560; // px
const SMALL = 480; // px of what is shown of it before it is sent
const LONG = 3; // times as long as it is wide: a page that was scrolled, and unreadable if made smaller
const QUALITY = 0.85;
const HEAD = 65_536; // bytes in which a file says that it moves

const EVERYWHERE = ["image/jpeg", "image/png", "image/gif", "image/webp", "image/avif"];
const MOVES = { "image/png": /acTL.*IDAT/s, "image/webp": /^RIFF.{4}WEBP.*ANIM/s, "image/avif": /^.{4}ftyp[^]{0,64}avis/ };

/**
 * What is to be sent of a picture: {blob, width, height, preview?, original?}. `original` is the file
 * where `blob` is a smaller one; `preview` is a small one where `blob` is large. Null: it cannot be drawn.
 */
export async function shrink(file) {
  const bitmap = file.type.startsWith("image/svg") ? null : await draw(file);
  if (!bitmap) return null;
  const { width, height } = bitmap;
  const size = { width, height };
  try {
    if (!honest() || file.type === "image/gif" || (await moves(file))) return { blob: file, ...size };
    const preview = Math.max(width, height) > SMALL ? await drawn(bitmap, SMALL, "image/webp") : undefined;
    const same = EVERYWHERE.includes(file.type);
    const long = Math.max(width, height) > LONG * Math.min(width, height);
    if (same && (long || Math.max(width, height) <= SIDE)) return { blob: file, ...size, preview };
    const type = same ? file.type : "image/jpeg";
    const blob = await drawn(bitmap, SIDE, type);
    if (!blob || (same && (blob.type !== type || blob.size >= file.size))) return { blob: file, ...size, preview };
    return { blob, ...scaled(size, SIDE), preview, original: { blob: file, ...size } };
  } finally {
    bitmap.close();
  }
}

/** As it is to be seen: turned the way the camera says. */
function draw(file) {
  return createImageBitmap(file, { imageOrientation: "from-image" }).catch(() => null);
}

async function moves(file) {
  const head = new Uint8Array(await file.slice(0, HEAD).arrayBuffer());
  return MOVES[file.type]?.test(new TextDecoder("latin1").decode(head)) ?? false;
}

function scaled({ width, height }, side) {
  const by = Math.min(1, side / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * by)), height: Math.max(1, Math.round(height * by)) };
}

function drawn(bitmap, side, type) {
  const canvas = Object.assign(document.createElement("canvas"), scaled(bitmap, side));
  const context = canvas.getContext("2d");
  if (!context) return null; // no memory for it
  if (type === "image/jpeg") context.fillStyle = "#fff", context.fillRect(0, 0, canvas.width, canvas.height); // it has no clear parts
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, type, QUALITY));
}

/** Does a canvas give back what was drawn? Browsers that guard against being recognized may not. */
function honest() {
  const canvas = Object.assign(document.createElement("canvas"), { width: 2, height: 1 });
  const context = canvas.getContext("2d");
  const known = [12, 200, 77, 255, 240, 31, 160, 255];
  context.putImageData(new ImageData(new Uint8ClampedArray(known), 2, 1), 0, 0);
  return context.getImageData(0, 0, 2, 1).data.every((value, n) => value === known[n]);
}
