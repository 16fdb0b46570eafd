// Owns what opens over the room and shuts again: drawers on a narrow page, and dialogs. Whatever it
// is, the rest is out of reach meanwhile, and the focus goes back to where it came from.

const narrow = ["(max-width: 48rem)", "(max-width: 75rem)"].map((query) => matchMedia(query));

export function wireDrawers() {
  const drawers = [...document.querySelectorAll(".side, .people")];
  for (const drawer of drawers) {
    drawer.addEventListener("toggle", ({ newState }) => turn(drawer, newState === "open"));
    if (drawer.matches(":popover-open")) turn(drawer, true); // opened before this module came
  }
  for (const query of narrow) {
    // A wider window may have made columns of them.
    query.addEventListener("change", () => drawers.forEach((drawer) => drawer.hidePopover()));
  }
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.querySelector(".close").addEventListener("click", () => dialog.close());
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close()); // the backdrop
  }
}

/** Opens a dialog; when it shuts, the focus is at `opener` again, or at what shows it. */
export function openDialog(dialog, opener = document.activeElement, modal = true) {
  if (modal) dialog.showModal();
  else dialog.show();
  dialog.addEventListener("close", () => giveBack(opener), { once: true });
}

function turn(drawer, open) {
  const rest = [...document.body.children].filter((part) => part !== drawer && part.matches(".skip, main, [popover]"));
  rest.forEach((part) => (part.inert = open));
  if (!open) {
    for (const name of ["role", "aria-modal", "aria-labelledby"]) drawer.removeAttribute(name);
    if (!document.querySelector("dialog[open]")) giveBack(switchOf(drawer));
    return;
  }
  Object.assign(drawer, { role: "dialog", ariaModal: "true" });
  drawer.setAttribute("aria-labelledby", `${drawer.id}-title`);
  drawer.querySelector(".close").focus({ focusVisible: false });
}

const switchOf = (drawer) => document.querySelector(`[popovertarget="${drawer.id}"]:not(.close)`);

function giveBack(opener) {
  const { activeElement } = document;
  if (activeElement !== document.body && activeElement.checkVisibility()) return; // it has gone on
  const drawer = opener?.closest("[popover]");
  const shown = opener?.checkVisibility({ visibilityProperty: true }) || !drawer ? opener : switchOf(drawer);
  shown?.focus();
}
