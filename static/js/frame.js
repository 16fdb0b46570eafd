// What the dialogs that are made when they are first opened have in common. Fetched with them.

import { element } from "./dom.js";
import { icon } from "./icon.js";

/** An element with a class, and what else is said of it. */
export function part(name, className, more = {}, ...children) {
  return Object.assign(element(name, ...children), { className, ...more });
}

/** A button that is only a sign; `made` if it is to be something else. */
export function signButton(className, sign, label, made = part("button", "", { type: "button" })) {
  made.append(icon(sign));
  return Object.assign(made, { className: `ib ${className}`, ariaLabel: label, title: label });
}
