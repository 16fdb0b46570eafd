// Who may act on whom, as rules/access.py has it; the server has the last word. Pure: the clock is
// passed in.

const RANK = { owner: 2, moderator: 1 }; // the others: 0

/** May somebody of this standing mute and remove people at all? Not while they are muted themselves. */
export const moderates = ({ role, muted = 0 }, now) => Boolean(RANK[role]) && muted <= now;

/** May one of this role act on another: on who ranks below, an owner on everybody? */
export const outranks = (role, other) => role === "owner" || (RANK[role] ?? 0) > (RANK[other] ?? 0);

/** What an owner may make of somebody of this role; "" for nothing. */
export function nextRole(role) {
  if (role === "bot") return "";
  return role === "member" ? "moderator" : "member";
}

/** People who write by another program, without a name of their own, can only be kept out. */
export const isNamed = (user) => !user.startsWith("client-");
