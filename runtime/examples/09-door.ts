/**
 * A door: the counter called over HTTP by whoever may, and its typed client. The client imports types alone: in a browser
 * it would take `import type { Counter }`, and nothing of the server would get into the bundle.
 *
 * Run it:  bun runtime/examples/09-door.ts
 */
import { actor, createTroupe, memory } from "troupe";
import { connect, reasonOf, remote } from "troupe/client";
import { actorHandler } from "troupe/http";
import * as v from "valibot";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number(), refuses: ["not_positive"] }, (c, { by }) => {
      c.require(by > 0, "not_positive");
      return (c.state.count += by);
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

// The server: nothing is reachable that is not listed, and nobody gets in whom `authorize` does not let in.
const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
const door = actorHandler(troupe, {
  actors: [Counter],
  authorize: (call, request) => request.headers.get("authorization") === "Bearer sesame" || call.kind === "query",
});
// oxlint-disable-next-line no-restricted-globals -- any server that knows Request and Response does
const server = Bun.serve({ port: 0, fetch: door });

// The client, in another process or a page.
const Visits = remote<typeof Counter>("counter");
const url = `http://localhost:${server.port}`;
const visits = connect(url, { auth: "sesame" }).ref(Visits, "home");
console.log("adds", await visits.add({ by: 2 }));
console.log("refused:", await visits.add({ by: -2 }).catch((error: unknown) => reasonOf(error, visits.add)));
console.log("a stranger reads", await connect(url).ref(Visits, "home").value());
const refusal: unknown = await connect(url)
  .ref(Visits, "home")
  .add({ by: 1 })
  .catch((error: unknown) => error);
console.log("a stranger adds:", String(refusal));

// Each durable state, over as many connections as it takes.
for await (const { state } of connect(url, { auth: "sesame" }).watch(Visits, "home")) {
  console.log("sees", state.count);
  if (state.count === 4) break;
  await visits.add({ by: 1 });
}

door.close();
await server.stop();
await troupe.stop();

/* Prints:
 * adds 2
 * refused: not_positive
 * a stranger reads 2
 * a stranger adds: CallError: This is not for you
 * sees 2
 * sees 3
 * sees 4
 */
