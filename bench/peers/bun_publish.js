// Bun's own publish: subscribe each socket to its path, publish each message to the path.
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: Number(process.argv[2]),
  fetch(request, server) {
    const room = new URL(request.url).pathname;
    if (server.upgrade(request, { data: { room } })) return;
    return new Response("not a WebSocket", { status: 400 });
  },
  websocket: {
    open(peer) {
      peer.subscribe(peer.data.room);
    },
    message(peer, message) {
      server.publish(peer.data.room, message);
    },
  },
});
