/**
 * A door on Postgres in a process of its own, started by the benchmark `doors`: `bun doors-server.ts DATABASE_URL`; prints its
 * port. `/empty` does nothing at all: what the load generator reaches at most.
 */
import { Counter, Room } from "#infra/door/door-bench.ts";
import { actorHandler, bunSockets } from "#infra/door/mod.ts";
import { postgresStore } from "#infra/postgres/mod.ts";
import { createTroupe, memoryTopics } from "#runtime";

const troupe = await createTroupe({
  actors: [Counter, Room],
  stores: { default: postgresStore(process.argv[2] ?? "") },
  topics: memoryTopics(),
});
const door = actorHandler(troupe, { actors: [Counter, Room], authorize: () => true });
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  routes: { "/empty": () => new Response("{}", { headers: { "content-type": "application/json" } }) },
  ...bunSockets(door),
});
console.log(server.port);
