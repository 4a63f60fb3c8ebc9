import { eventually } from "#infra/testing/eventually.ts";
import { partitionOf } from "#runtime";
import type { Answer, AppProcess } from "../e2e/app-process.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { insist, stockUp } from "../e2e/shop.ts";
import { summary } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const ROUNDS = 5;
const FULL_ROUNDS = 30;
const SKU = "FAIL-1";
const PROBE_EVERY_MS = 5;
const STARTS_WITHIN_MS = 60_000;
const SERVES_AGAIN_WITHIN_MS = 60_000;
const SHARED_WITHIN_MS = 30_000;
/** How long replies are watched after the process has left: a pause that comes later has another cause. */
const WATCHED_AFTER_MS = 1_000;

/** How long nothing durable is answered for an actor whose owner is killed, or leaves in order, beside another process. */
export async function* failover({ full }: { readonly full: boolean }): AsyncGenerator<BenchCase> {
  const rounds = full ? FULL_ROUNDS : ROUNDS;
  progress(`failover: ${rounds} kills and ${rounds} orderly leaves, with a process started before each`);
  await using harness = await openHarness({
    environment: { TROUPE_CHECK_REPLIES: "off", TROUPE_ROLES: "ingress,actors" },
  });
  const killed: number[] = [];
  const caller: number[] = [];
  const left: number[] = [];
  let apps = [await serving(harness), await serving(harness)];
  await stockUp(apps[0] as AppProcess, SKU, 1);
  for (let round = 0; round < rounds; round++) {
    const { owner, other } = await bySku(apps);
    await owner.kill();
    const times = await Promise.all([untilAnyReply(other), untilReplyOf(other, `caller-${round}`)]);
    killed.push(times[0]);
    caller.push(times[1]);
    progress(`failover: kill ${round + 1}: ${Math.round(times[0])} ms`);
    apps = [other, await serving(harness)];
  }
  for (let round = 0; round < rounds; round++) {
    const { owner, other } = await bySku(apps);
    left.push(await longestPause(other, () => owner.stop()));
    progress(`failover: leave ${round + 1}: ${Math.round(left.at(-1) ?? 0)} ms`);
    apps = [other, await serving(harness)];
  }
  yield line(`${rounds} kills, next durable reply`, killed);
  yield line(`${rounds} kills, a caller of that moment, with its repeats`, caller);
  yield line(`${rounds} planned handovers, longest pause between durable replies`, left);
}

function line(name: string, times: readonly number[]): BenchCase {
  return { bench: "failover", case: name, measured: summary(times, times.reduce((sum, ms) => sum + ms, 0) / 1_000) };
}

async function serving(harness: Harness): Promise<AppProcess> {
  const app = harness.start();
  await insist(() => app.get("/actors"), STARTS_WITHIN_MS);
  return app;
}

interface Cluster {
  readonly nodes: readonly { readonly id: string; readonly address: string | null }[];
  readonly stores: readonly {
    readonly types: readonly string[];
    readonly partitions: readonly { readonly partition: number; readonly node: string | null }[];
  }[];
}

/** Which of the two processes owns the product, once they share its store evenly. */
async function bySku(apps: readonly AppProcess[]): Promise<{ readonly owner: AppProcess; readonly other: AppProcess }> {
  const addresses = await Promise.all(apps.map((app) => app.listening()));
  return eventually("the processes share the partitions", SHARED_WITHIN_MS, async () => {
    const { status, body } = await (apps[0] as AppProcess).get("/actors");
    if (status !== 200) return undefined;
    const { nodes, stores } = body as Cluster;
    const { partitions = [] } = stores.find(({ types }) => types.includes("stock")) ?? {};
    const ids = addresses.map((address) => nodes.find((node) => node.address === address)?.id);
    const shared = ids.every((id) => partitions.filter(({ node }) => node === id).length === partitions.length / 2);
    const at = ids.indexOf(partitions[partitionOf("stock", SKU)]?.node ?? "");
    const [owner, other] = [apps[at], apps[1 - at]];
    return shared && owner !== undefined && other !== undefined && { owner, other };
  });
}

function refill(app: AppProcess, key: string): Promise<Answer> {
  return app.post(`/stock/${SKU}/refill`, { quantity: 1 }, { "idempotency-key": key });
}

/** A new caller every few milliseconds, until `over`; tells of each durable reply. Resolves when all are answered. */
async function probe(app: AppProcess, replied: (sentAt: number) => void, over: Promise<unknown>): Promise<void> {
  const running: Promise<void>[] = [];
  const timer = setInterval(() => {
    const sentAt = performance.now();
    running.push(
      refill(app, crypto.randomUUID()).then(
        ({ status }) => void (status === 200 && replied(sentAt)),
        () => undefined,
      ),
    );
  }, PROBE_EVERY_MS);
  try {
    await over;
  } finally {
    clearInterval(timer);
    await Promise.all(running); // their answers must not fall into the next round
  }
}

/** How long after this moment the first of many callers is answered. */
async function untilAnyReply(app: AppProcess): Promise<number> {
  const startedAt = performance.now();
  let first: number | undefined;
  const over = eventually("a durable reply comes back", SERVES_AGAIN_WITHIN_MS, async () => first);
  await probe(app, () => void (first ??= performance.now() - startedAt), over);
  return over;
}

/** The longest time without a durable reply while `leave` happens. */
async function longestPause(app: AppProcess, leave: () => Promise<unknown>): Promise<number> {
  let longest = 0;
  let last = performance.now();
  const replied = (): void => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const over = (async () => {
    await Bun.sleep(WATCHED_AFTER_MS);
    longest = 0; // what the first probes took to get going is not what is asked
    await leave();
    await Bun.sleep(WATCHED_AFTER_MS);
  })();
  await probe(app, replied, over);
  return longest;
}

/** One caller that repeats its request under its key until it is answered. */
async function untilReplyOf(app: AppProcess, key: string): Promise<number> {
  const startedAt = performance.now();
  await insist(() => refill(app, key), SERVES_AGAIN_WITHIN_MS);
  return performance.now() - startedAt;
}
