// What a person is, beside their name: a key or a shield, and the word for who listens.

import { clone, element } from "./dom.js";

const SIGNS = { owner: "key", moderator: "shield" };

/** Puts what somebody is after their name in a row; members have no mark. */
export function mark(row, role, say) {
  for (const old of row.querySelectorAll(".role, .rank, .tag")) old.remove();
  if (!role || role === "member") return;
  const sign = SIGNS[role] && clone(`sign-${SIGNS[role]}`);
  const word = element("span", sign ? `, ${say(`role.${role}`)}` : say(`role.${role}`));
  word.className = sign ? "vh rank" : "tag";
  sign?.classList.add("role");
  row.querySelector(".pn").after(...[sign, word].filter(Boolean));
}

/** A program's message says so: beside the name, and by the shape of its picture. */
export const botTag = (say) => ({
  show(row, { bot }) {
    if (!bot || row.matches(".bot")) return;
    row.classList.add("bot");
    const tag = Object.assign(element("span", say("role.bot")), { className: "tag", id: `${row.id}k` });
    row.querySelector(".who").after(" ", tag);
  },
});
