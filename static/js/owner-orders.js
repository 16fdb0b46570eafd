// The one way in which the page for looking after the chat asks for something.

/** What the server answered. Rejects with its sentence where it refused; without one, without a line. */
export async function send(address, fields) {
  const cid = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(36)).join("");
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify({ ...fields, cid }) };
  const answer = await fetch(address, request).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (!answer?.ok) throw new Error(told?.detail ?? "");
  return told;
}
