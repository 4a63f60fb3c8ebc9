/**
 * A server that a test kills: a counter on a SQLite file behind a door. Arguments: the file, the port (0: a free one), and a
 * script to serve a page with, at `/`.
 */
import { sqlite } from "#infra/sqlite/mod.ts";
import { createTroupe, memoryTopics } from "#runtime";
import { Counter, Room } from "./door-bench.ts";
import { actorHandler, bunSockets, expose } from "./mod.ts";

const [file = "", port = "0", script] = process.argv.slice(2);
const troupe = await createTroupe({
  actors: [Counter, Room],
  stores: { default: sqlite(file) },
  topics: memoryTopics(),
  leaseMs: 300,
});
const door = actorHandler(troupe, {
  actors: [expose(Counter, { topics: () => ["counters/all"] }), Room],
  authorize: () => true,
});
const { fetch: answer, websocket } = bunSockets(door);
const page = `<!doctype html><meta charset="utf-8"><div id="root"></div><script type="module" src="/page.js"></script>`;
const server = Bun.serve({
  port: Number(port),
  hostname: "127.0.0.1",
  websocket,
  fetch(request, server) {
    const { pathname } = new URL(request.url);
    if (script === undefined || request.method !== "GET" || pathname.endsWith("/watch")) return answer(request, server);
    if (pathname === "/page.js")
      return new Response(Bun.file(script), { headers: { "content-type": "text/javascript" } });
    return new Response(page, { headers: { "content-type": "text/html" } });
  },
});
console.log(server.port);
