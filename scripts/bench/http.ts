import { testDatabase } from "#infra/stack/for-tests.ts";
import { openHarness } from "../e2e/harness.ts";
import { insist } from "../e2e/shop.ts";
import { pidOf } from "./app-info.ts";
import { HttpConnection, type PlainRequest, requestBytes } from "./http-client.ts";
import { load, type Measured, rssOf } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

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
  const byHand = await handWritten();
  progress("http: the app (start, 5 s)");
  const measured = await app();
  const baseline = { name: "Elysia, one statement per request, pool of 32", ...byHand.refills };
  yield { bench: "http", case: `${CALLERS} callers`, measured, baseline };
  yield { bench: "http", case: `generator alone, ${CALLERS} callers`, measured: byHand.empty };
}

async function app(): Promise<Measured> {
  await using harness = await openHarness({ environment: { TROUPE_ROLES: "ingress,actors" } });
  const process = harness.start();
  const product = { name: "Bench", price: 250, currency: "EUR" };
  for (const sku of SKUS) {
    const answer = await insist(
      () => process.send("PUT", `/products/${sku}`, JSON.stringify(product), { "content-type": "application/json" }),
      STARTS_WITHIN_MS,
    );
    if (answer.status !== 200) throw new Error(`Cannot make ${sku}: ${JSON.stringify(answer.body)}`);
  }
  return await drive(await process.listening(), REFILLS, await pidOf(process));
}

async function handWritten(): Promise<{ readonly refills: Measured; readonly empty: Measured }> {
  await using database = await testDatabase("bench_http");
  const child = Bun.spawn([process.execPath, BASELINE, database.url], { stdout: "pipe", stderr: "inherit" });
  try {
    const address = `http://127.0.0.1:${await firstLine(child.stdout)}`;
    const refills = await drive(address, REFILLS, child.pid);
    return { refills, empty: await drive(address, [{ method: "POST", path: "/empty", body: {} }], child.pid) };
  } finally {
    child.kill("SIGKILL");
    await child.exited;
  }
}

/** The same load for all of them: one connection per caller, each with one request under way. */
async function drive(address: string, requests: readonly PlainRequest[], pid: number): Promise<Measured> {
  const bytes = requests.map((request) => requestBytes(new URL(address).host, request));
  const connections = await Promise.all(Array.from({ length: CALLERS }, () => HttpConnection.open(address)));
  try {
    const measured = await load(CALLERS, (caller, round) => {
      const request = bytes[(caller * 7 + round) % bytes.length]!;
      return connections[caller]!.send(request);
    });
    return { ...measured, rssMb: rssOf(pid) };
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true });
    if (text.includes("\n")) return text.slice(0, text.indexOf("\n"));
  }
  throw new Error("The hand-written handler ended before it listened");
}
