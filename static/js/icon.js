// A sign of the page's sprite.

const SVG = "http://www.w3.org/2000/svg";

export function icon(name) {
  const [sign, use] = ["svg", "use"].map((part) => document.createElementNS(SVG, part));
  use.setAttribute("href", `#i-${name}`);
  sign.setAttribute("aria-hidden", "true");
  sign.append(use);
  return sign;
}
