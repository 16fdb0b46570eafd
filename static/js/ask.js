// Asks the server for what is not said on the line. Fetched with the first dialog that does.

const PATIENCE = 20_000; // ms

/** The JSON of an answer; with `body` it is posted. Throws an error whose `detail` is for the person. */
export async function ask(address, say, body) {
  const headers = { Accept: "application/json" };
  const posted = body === undefined ? {} : { method: "POST", body };
  const answer = await fetch(address, { headers, signal: AbortSignal.timeout(PATIENCE), ...posted }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  const detail = said ? said.detail : say("me.failed");
  if (!said || !answer.ok) throw Object.assign(new Error(detail), { detail });
  return said;
}

/** Does what may be refused; why not is then said in `place`. */
export async function attempt(place, what) {
  place.textContent = "";
  try {
    await what();
  } catch (error) {
    if (!error.detail) throw error;
    place.textContent = error.detail;
  }
}
