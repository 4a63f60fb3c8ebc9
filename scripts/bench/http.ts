import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { openHarness } from "../e2e/harness.ts";
import { insist } from "../e2e/shop.ts";
import { pidOf } from "./app-info.ts";
import { postmasterOf } from "./cpu.ts";
import { type PlainRequest, requestBytes } from "./http-client.ts";
import { driveHttp, type RequestOf } from "./http-load.ts";
import type { Measured } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { startServer } from "./server-process.ts";

const CALLERS = 64;
const BASELINE = Bun.fileURLToPath(new URL("http-baseline.ts", import.meta.url));
const STARTS_WITHIN_MS = 60_000;

const SKUS = Array.from({ length: 100 }, (_, i) => `BENCH-${i}`);
const REFILLS = SKUS.map((sku): PlainRequest => ({
  method: "POST",
  path: `/stock/${sku}/refill`,
  body: { quantity: 1 },
}));

/** A command over HTTP, up to its durable reply, against a hand-written handler; and what the generator can do at all. */
export async function* http(): AsyncGenerator<BenchCase> {
  progress("http: the hand-written handler (5 s), then the generator alone (5 s)");
  const postmaster = await postmasterOf(await testServer("postgres"));
  const byHand = await handWritten(postmaster);
  progress("http: the app (start, 5 s)");
  const measured = await app(postmaster);
  const baseline = { name: "Elysia, one statement per request, pool of 32", ...byHand.refills };
  yield { bench: "http", case: `${CALLERS} callers`, measured, baseline };
  yield { bench: "http", case: `generator alone, ${CALLERS} callers`, measured: byHand.empty };
}

async function app(postmaster: number | undefined): Promise<Measured> {
  await using harness = await openHarness({
    environment: { TROUPE_CHECK_REPLIES: "off", TROUPE_ROLES: "ingress,actors" },
  });
  const process = harness.start();
  const product = { name: "Bench", price: 250, currency: "EUR" };
  for (const sku of SKUS) {
    const answer = await insist(
      () => process.send("PUT", `/products/${sku}`, JSON.stringify(product), { "content-type": "application/json" }),
      STARTS_WITHIN_MS,
    );
    if (answer.status !== 200) throw new Error(`Cannot make ${sku}: ${JSON.stringify(answer.body)}`);
  }
  const address = await process.listening();
  const target = { label: "http: the app", address, pid: await pidOf(process), postmaster };
  return await driveHttp(target, CALLERS, inTurn(address, REFILLS));
}

async function handWritten(
  postmaster: number | undefined,
): Promise<{ readonly refills: Measured; readonly empty: Measured }> {
  await using database = await testDatabase("bench_http");
  await using server = await startServer(BASELINE, database.url);
  const target = { label: "http: the hand-written handler", postmaster, ...server };
  const refills = await driveHttp(target, CALLERS, inTurn(server.address, REFILLS));
  const alone = { label: "http: an empty handler", ...server };
  return {
    refills,
    empty: await driveHttp(alone, CALLERS, inTurn(server.address, [{ method: "POST", path: "/empty", body: {} }])),
  };
}

/** Each caller goes through the requests, from a place of its own. */
function inTurn(address: string, requests: readonly PlainRequest[]): RequestOf {
  const bytes = requests.map((request) => requestBytes(new URL(address).host, request));
  return (caller, nth) => bytes[(caller * 7 + nth) % bytes.length]!;
}
