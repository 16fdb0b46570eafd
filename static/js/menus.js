// What keys do in a menu.

/** Moves the focus among the options of a menu. */
export function moveIn(options, event) {
  const at = options.indexOf(document.activeElement);
  const last = options.length - 1;
  const to = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  options[to].focus();
}
