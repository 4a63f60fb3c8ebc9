import postgres from "postgres";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import type { Answer, AppProcess } from "../e2e/app-process.ts";
import { openHarness } from "../e2e/harness.ts";
import { insist } from "../e2e/shop.ts";
import { pidOf } from "./app-info.ts";
import { postmasterOf } from "./cpu.ts";
import { EVENT_SCHEMA, EVENT_TYPE, eventBatches, singleEvents } from "./event-requests.ts";
import { driveHttp, type HttpMeasured } from "./http-load.ts";
import type { Measured } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { startServer } from "./server-process.ts";

const BASELINE = Bun.fileURLToPath(new URL("events-baseline.ts", import.meta.url));
const STARTS_WITHIN_MS = 60_000;
const BATCH = 100;
const LOADS = [64, 256];
const BATCH_CALLERS = 8;

/**
 * Events over HTTP up to their commit: the type has a schema and a route that is in force, each event an id by which it is
 * taken once. Against a handler that writes the event and an outbox row per request. After the run the store must hold
 * exactly as many events as were accepted.
 */
export async function* events(): AsyncGenerator<BenchCase> {
  const postmaster = await postmasterOf(await testServer("postgres"));
  progress("events: the hand-written handler (25 s)");
  const byHand = await handWritten(postmaster);
  progress("events: the app (start, 25 s)");
  const accepted = await gateway(postmaster);
  const name = "Elysia, event and outbox row per request, pool of 32";
  for (const [i, callers] of LOADS.entries())
    yield {
      bench: "events",
      case: `${callers} callers`,
      measured: accepted.single[i]!,
      baseline: { name, ...byHand.single[i]! },
    };
  yield {
    bench: "events",
    case: `batches of ${BATCH} CloudEvents, ${BATCH_CALLERS} callers (times are of a batch)`,
    measured: accepted.batch,
    baseline: { name: "Elysia, one statement per batch, pool of 32", ...byHand.batch },
  };
}

interface Reached {
  /** In the order of {@link LOADS}. */
  readonly single: readonly Measured[];
  readonly batch: Measured;
}

async function gateway(postmaster: number | undefined): Promise<Reached> {
  await using harness = await openHarness({
    environment: { TROUPE_CHECK_REPLIES: "off", TROUPE_ROLES: "ingress,actors" },
  });
  const app = harness.start();
  await put(app, `/schemas/${EVENT_TYPE}`, EVENT_SCHEMA);
  const to = [{ sink: "nats", subject: "bench.measured" }];
  await put(app, "/routes/bench", { match: { type: "bench.*" }, to });
  const target = { label: "events: the app", address: await app.listening(), pid: await pidOf(app), postmaster };
  await mustBeInForce(app);
  const { host } = new URL(target.address);
  const single: HttpMeasured[] = [];
  for (const callers of LOADS) single.push(await driveHttp(target, callers, singleEvents(host, callers)));
  const door = { host, path: "/events", contentType: "application/cloudevents-batch+json" };
  const batches = await driveHttp(target, BATCH_CALLERS, eventBatches(door, BATCH_CALLERS, BATCH), {
    doneIn: acceptedIn,
  });
  const accepted = [...single, batches].reduce((sum, { done }) => sum + done, 0);
  await mustHold(harness.cluster, accepted);
  return { single, batch: ofEvents(batches) };
}

async function handWritten(postmaster: number | undefined): Promise<Reached> {
  await using database = await testDatabase("bench_events");
  await using server = await startServer(BASELINE, database.url);
  const target = { label: "events: the hand-written handler", postmaster, ...server };
  const { host } = new URL(server.address);
  const single: Measured[] = [];
  for (const callers of LOADS) single.push(await driveHttp(target, callers, singleEvents(host, callers)));
  const door = { host, path: "/batches", contentType: "application/json" };
  const batches = await driveHttp(target, BATCH_CALLERS, eventBatches(door, BATCH_CALLERS, BATCH));
  return { single, batch: ofEvents(batches) };
}

/** How many of a batch were accepted: others may have been refused, as too much came at once. */
function acceptedIn(body: string): number {
  const { items } = JSON.parse(body) as { readonly items: readonly { readonly status: string }[] };
  return items.filter(({ status }) => status === "accepted").length;
}

/** Rates of events where each request holds a batch of them. */
function ofEvents(measured: Measured): Measured {
  return { ...measured, opsPerSecond: measured.opsPerSecond * BATCH };
}

async function put(app: AppProcess, path: string, body: unknown): Promise<void> {
  const send = (): Promise<Answer> =>
    app.send("PUT", path, JSON.stringify(body), { "content-type": "application/json" });
  const answer = await insist(send, STARTS_WITHIN_MS);
  if (answer.status >= 300) throw new Error(`Cannot put ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
}

/** An event that does not fit the schema must be refused: else the schema would not be measured. */
async function mustBeInForce(app: AppProcess): Promise<void> {
  const { status } = await app.post("/events", { type: EVENT_TYPE, data: { celsius: "warm" } });
  if (status !== 422) throw new Error(`The schema is not in force: an event that does not fit got ${status}`);
}

/** Every accepted event, and no other, is in the outbox once, for the one place of its route. */
async function mustHold(cluster: string, accepted: number): Promise<void> {
  const url = new URL(await testServer("postgres"));
  url.pathname = `/troupe_${cluster}_gateway`;
  const sql = postgres(url.href, { max: 1, onnotice: () => undefined });
  try {
    const [row] = await sql<{ routed: number; ids: number }[]>`
      select (select coalesce(sum(count), 0)::int from outbox where kind = 'routed') as routed,
             (select count(*)::int from replies where type = 'inbox') as ids`;
    if (row?.routed !== accepted || row.ids !== accepted)
      throw new Error(`${accepted} events were accepted, but the store holds ${row?.routed}, and ${row?.ids} ids`);
    progress(`events: ${accepted} were accepted, and the store holds as many`);
  } finally {
    await sql.end();
  }
}
