import type { AppProcess, Answer } from "../e2e/app-process.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { insist } from "../e2e/shop.ts";
import { summary } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const ROUNDS = 5;
const SKU = "FAIL-1";
const PROBE_EVERY_MS = 10;
const STARTS_WITHIN_MS = 60_000;
const SERVES_AGAIN_WITHIN_MS = 60_000;

/** How long nothing durable is answered after the owner of everything was killed, while a second process waits. */
export async function* failover(): AsyncGenerator<BenchCase> {
  progress(`failover: ${ROUNDS} kills, with a process started before each`);
  await using harness = await openHarness({ environment: { TROUPE_ROLES: "ingress,actors" } });
  const nextReply: number[] = [];
  const oneCaller: number[] = [];
  let owner = await serving(harness, "first");
  for (let round = 0; round < ROUNDS; round++) {
    const waiting = await serving(harness, `round-${round}`);
    await owner.kill();
    const times = await Promise.all([untilAnyReply(waiting), untilReplyOf(waiting, `caller-${round}`)]);
    nextReply.push(times[0]);
    oneCaller.push(times[1]);
    progress(`failover: round ${round + 1}: ${Math.round(times[0])} ms`);
    owner = waiting;
  }
  yield line(`${ROUNDS} kills, next durable reply`, nextReply);
  yield line(`${ROUNDS} kills, a caller of that moment, with its repeats`, oneCaller);
}

function line(name: string, times: readonly number[]): BenchCase {
  return { bench: "failover", case: name, measured: summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000) };
}

/** A further process that answers: the first one by itself, the others through the owner. */
async function serving(harness: Harness, key: string): Promise<AppProcess> {
  const app = harness.start();
  const product = JSON.stringify({ name: "Tea", price: 250, currency: "EUR" });
  const headers = { "content-type": "application/json", "idempotency-key": `put-${key}` };
  await insist(() => app.send("PUT", `/products/${SKU}`, product, headers), STARTS_WITHIN_MS);
  const { status } = await insist(() => refill(app, `warm-${key}`), STARTS_WITHIN_MS);
  if (status !== 200) throw new Error(`A process that was just started answers ${status}`);
  return app;
}

function refill(app: AppProcess, key: string): Promise<Answer> {
  return app.post(`/stock/${SKU}/refill`, { quantity: 1 }, { "idempotency-key": key });
}

/** A new caller every few milliseconds, until the first of them is answered. */
async function untilAnyReply(app: AppProcess): Promise<number> {
  const startedAt = performance.now();
  const first = Promise.withResolvers<number>();
  const running: Promise<void>[] = [];
  const timer = setInterval(() => {
    const elapsed = performance.now() - startedAt;
    if (elapsed > SERVES_AGAIN_WITHIN_MS) first.reject(new Error("No durable reply came back"));
    const probe = refill(app, crypto.randomUUID()).then(
      ({ status }) => status === 200 && first.resolve(performance.now() - startedAt),
      () => undefined,
    );
    running.push(probe.then(() => undefined));
  }, PROBE_EVERY_MS);
  try {
    return await first.promise;
  } finally {
    clearInterval(timer);
    await Promise.all(running); // their answers must not fall into the next round
  }
}

/** One caller that repeats its request under its key until it is answered. */
async function untilReplyOf(app: AppProcess, key: string): Promise<number> {
  const startedAt = performance.now();
  await insist(() => refill(app, key), SERVES_AGAIN_WITHIN_MS);
  return performance.now() - startedAt;
}
