// The worker of an installed chat: takes what other apps share with it, and keeps it until a page puts
// it into a draft (sharing.js). Answers and caches nothing else.

const ADDRESS = new URL("share", registration.scope).href; // as the manifest says

addEventListener("install", (event) => {
  skipWaiting();
  // Where a browser can be told so, nothing that is loaded waits for this worker.
  const past = event.addRoutes?.({ condition: { requestMethod: "GET" }, source: "network" });
  event.waitUntil(Promise.resolve(past));
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "POST" && url === ADDRESS) event.respondWith(take(event.request));
});

async function take(request) {
  const kept = await keep(request).then(() => true, () => false); // the disk may be full
  return Response.redirect(new URL(kept ? "./#shared" : "./#unshared", registration.scope), 303);
}

async function keep(request) {
  const cache = await caches.open("shared");
  const headers = { "Content-Type": request.headers.get("Content-Type") };
  await cache.put(ADDRESS, new Response(await request.blob(), { headers }));
}
