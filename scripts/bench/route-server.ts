/**
 * One Elysia route in a process of its own, started by the benchmark `route`: `bun route-server.ts troupe|hand DATABASE_URL`;
 * prints its port. `troupe`: a durable turn of an actor with one event; `hand`: one statement for state and event.
 */
import { Elysia, t } from "elysia";
import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { createTroupe } from "#runtime";
import { Account } from "./account.ts";
import { writeOnce } from "./one-statement.ts";

const [mode, url = ""] = process.argv.slice(2);
type Increment = (key: string, by: number) => Promise<number>;

async function actors(): Promise<Increment> {
  const troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(url) } });
  return (key, by) => troupe.ref(Account, key).increment({ by });
}

function byHand(): Increment {
  const sql = postgres(url, { max: 32, onnotice: () => undefined });
  return async (key, by) => {
    const state = { count: by, owner: "somebody", items: ["a", "b"] };
    const data = { by };
    return (await writeOnce(sql, { type: "account", key, state, event: "account.incremented.v1", data })) ?? 0;
  };
}

const increment = mode === "hand" ? byHand() : await actors();
const app = new Elysia().post(
  "/accounts/:key/increment",
  async ({ params: { key }, body: { by } }) => ({ count: await increment(key, by) }),
  { body: t.Object({ by: t.Integer({ minimum: 1 }) }) },
);
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: (request) => app.fetch(request),
});
console.log(server.port);
