/**
 * One file for Bun and for Cloudflare's workerd: the same actor behind the same door, here in a process with a SQLite file, there
 * in a Durable Object with its own storage.
 *
 * Run it:  bun runtime/examples/10-anywhere.ts
 * On workerd it is a worker with the class `Actors`, bound to `ACTORS` with SQLite storage, `troupe/sqlite` left out of the bundle.
 */
import { actor, createTroupe } from "troupe";
import { connect } from "troupe/client";
import { actorObject, type ObjectNamespace, toObject } from "troupe/durable-object";
import { actorHandler, bunSockets } from "troupe/http";
import * as v from "valibot";

export const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => (c.state.count += by)),
  }),
});

const options = { actors: [Counter], authorize: () => true };

/** On workerd: an object holds the actors. */
export class Actors extends actorObject(() => options) {}
const worker = {
  fetch: (request: Request, env: { readonly ACTORS: ObjectNamespace }) => toObject(request, env.ACTORS),
};
const onBun = "Bun" in globalThis;
// oxlint-disable-next-line import/no-default-export -- the form of a worker; Bun would serve it as well
export default onBun ? undefined : worker;

/** On Bun: this process holds them. */
if (onBun) {
  const { sqlite } = await import("troupe/sqlite");
  const troupe = await createTroupe({ actors: [Counter], stores: { default: sqlite(":memory:") } });
  // oxlint-disable-next-line no-restricted-globals -- only here
  const server = Bun.serve({ port: 0, ...bunSockets(actorHandler(troupe, options)) });

  const client = connect<{ counter: typeof Counter }>(`http://localhost:${server.port}`, { transport: "websocket" });
  console.log("counts", await client.ref("counter", "visits").add({ by: 2 }));

  client.close();
  await server.stop();
  await troupe.stop();
}

/* Prints:
 * counts 2
 */
