// Wires what moderators do; all of it is fetched on first use.

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
