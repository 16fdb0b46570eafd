// Owns the way out: once the server has signed this person out, nothing of them stays here.

/** Signs out without leaving the page first: what is typed is forgotten only when it is done. */
export function wireLeaving(form, say, forget) {
  const error = form.querySelector(".err");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const body = new URLSearchParams(new FormData(form));
    try {
      const headers = { Accept: "application/json" };
      const answer = await fetch(form.action, { method: "POST", body, headers, keepalive: true });
      if (answer.ok) return await forget(), location.reload();
      error.textContent = (await answer.json()).detail;
    } catch {
      error.textContent = say("me.failed");
    }
  });
}
