/** A server that a test kills: a counter on a SQLite file behind a door. Arguments: the file, the port (0: a free one). */
import { sqlite } from "#infra/sqlite/mod.ts";
import { createTroupe, memoryTopics } from "#runtime";
import { Counter } from "./door-conformance.ts";
import { actorHandler } from "./mod.ts";

const [file = "", port = "0"] = process.argv.slice(2);
const troupe = await createTroupe({
  actors: [Counter],
  stores: { default: sqlite(file) },
  topics: memoryTopics(),
  leaseMs: 300,
});
const door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
const server = Bun.serve({ port: Number(port), hostname: "127.0.0.1", fetch: door });
console.log(server.port);
