/**
 * What an event intake is without an actor runtime: one handler that writes the event and an outbox row in one statement per
 * request, once per id, over a pool of 32; a batch is one statement too. It checks no schema and looks up no route. A process
 * of its own, started by the benchmark `events`: `bun events-baseline.ts DATABASE_URL`; prints its port.
 */
import { Elysia, t } from "elysia";
import postgres from "postgres";
import { uuidv7 } from "#runtime";

const sql = postgres(process.argv[2] ?? "", { max: 32, onnotice: () => undefined });
await sql`create table accepted_events (id text primary key, type text not null, subject text, data json not null, at_ms bigint not null)`;
await sql`create table outbox (seq bigserial primary key, id text not null, target text not null, body text not null)`;

interface Taken {
  readonly id: string;
  readonly type: string;
  readonly subject?: string;
  readonly data?: unknown;
}

async function take(event: Taken): Promise<"accepted" | "duplicate"> {
  const rows = await sql<{ id: string }[]>`
    with e as (
      insert into accepted_events values
        (${event.id}, ${event.type}, ${event.subject ?? null}, ${JSON.stringify(event.data ?? null)}::json, ${Date.now()}::bigint)
      on conflict (id) do nothing returning id
    )
    insert into outbox (id, target, body) select ${`out_${uuidv7()}`}, 'bench', ${JSON.stringify(event)} from e returning id`;
  return rows.length === 1 ? "accepted" : "duplicate";
}

async function takeAll(events: readonly Taken[]): Promise<number> {
  const column = (value: (event: Taken) => string | null): string[] => events.map((event) => value(event) ?? "");
  const rows = await sql`
    with e as (
      insert into accepted_events
      select u.*, ${Date.now()}::bigint from unnest(${column(({ id }) => id)}::text[], ${column(({ type }) => type)}::text[],
        ${column(({ subject }) => subject ?? null)}::text[], ${column(({ data }) => JSON.stringify(data ?? null))}::json[]) u
      on conflict (id) do nothing returning id
    )
    insert into outbox (id, target, body)
    select u.out, 'bench', u.body from e join unnest(${column(({ id }) => id)}::text[], ${column(() => `out_${uuidv7()}`)}::text[],
      ${column((event) => JSON.stringify(event))}::text[]) u (id, out, body) on u.id = e.id returning id`;
  return rows.length;
}

const Event = t.Object({
  id: t.String({ minLength: 1, maxLength: 200 }),
  type: t.String({ minLength: 1, maxLength: 128 }),
  subject: t.Optional(t.String({ maxLength: 500 })),
  data: t.Optional(t.Unknown()),
});
const app = new Elysia()
  .post(
    "/events",
    async ({ body, status }) => {
      const taken = await take(body);
      return status(taken === "accepted" ? 202 : 200, { id: body.id, status: taken });
    },
    { body: Event },
  )
  .post("/batches", async ({ body, status }) => status(202, { taken: await takeAll(body) }), { body: t.Array(Event) });
const server = Bun.serve({
  hostname: "127.0.0.1",
  port: 0,
  development: false,
  fetch: (request) => app.fetch(request),
});
console.log(server.port);
