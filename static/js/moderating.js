// Wires what one may do to people: orders, and the menus that are fetched when one is opened first, or
// as soon as the person is a moderator.

import { lazily } from "./lazily.js";

/** Gives the page `order(name, fields)`, which is Orders.send, also before that is there. */
export function wireOrders(page) {
  const made = lazily("orders", ({ Orders }) => new Orders(page));
  page.order = async (name, fields) => {
    const orders = await made();
    if (orders) return orders.send(name, fields);
    const detail = page.say("order.offline");
    throw Object.assign(new Error(detail), { code: "offline", detail });
  };
}

/** The parts are those of rest.js. */
export function wireModerating(page, parts) {
  const { boot, on, say, timeline } = page;
  const made = lazily("whom", ({ Whom }) => new Whom(page, parts), "whom");
  const open = async (user, opener) => {
    const whom = await made();
    if (whom) whom.open(user, opener);
    else parts.deeds.warn(say("settings.late"));
  };
  document.querySelector(".crowd").addEventListener("click", ({ target }) => {
    const button = target.closest(".person[aria-haspopup=menu]");
    if (button) open(button.dataset.user, button);
  });
  timeline.log.addEventListener("click", ({ target }) => {
    const row = target.closest(".msg[data-id]:not(.mine)");
    if (row && target.matches(".av, .head > .who")) open(timeline.message(row).user, target);
  });
  const become = (standing) => {
    boot.standing = standing;
    const looksAfter = ["owner", "moderator"].includes(standing?.role);
    document.querySelector(".look-after").hidden = !looksAfter;
    if (looksAfter) made();
  };
  const { standing, welcome } = on;
  on.standing = (told) => (standing?.(told), become(told));
  on.welcome = (told) => (welcome(told), become(told.standing));
  become(boot.standing);
  wireRemoved(page, parts);
}

function wireRemoved(page, { strip }) {
  const { desk, on } = page;
  const made = lazily("removed", ({ tellRemoved }) => () => tellRemoved(page, strip));
  const tell = async (now) => now === "removed" && (await made())?.(); // why, and what they can do
  const { state } = on;
  on.state = (now) => (state(now), tell(now));
  tell(desk.connection.state);
}
