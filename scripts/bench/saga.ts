import { connect } from "@nats-io/transport-node";
import { parseNatsUrl } from "#infra/nats/url.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { newId, silentLog } from "#runtime";
import { startWorkers } from "#workflows/worker.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { place, stockUp } from "../e2e/shop.ts";
import { pidOf } from "./app-info.ts";
import type { BareActivities } from "./bare-workflow.ts";
import { load, type Measured, rssOf } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const IN_FLIGHT = 32;
const LOAD = { seconds: 10, warmUpSeconds: 3 };
const SKUS = Array.from({ length: 20 }, (_, i) => `SAGA-${i}`);
const PIECES = 1_000_000;
/** Nobody orders twenty times a second: what a customer is told grows with it. */
const CUSTOMERS = 1_000;
const ENDS_WITHIN_MS = 60_000;

/** Orders over HTTP until they are delivered, against a workflow of three ordinary activities on the same server. */
export async function* saga(): AsyncGenerator<BenchCase> {
  await using harness = await openHarness({ environment: { TROUPE_CHECK_REPLIES: "off", DELIVERY_STEP: "1ms" } });
  progress("saga: a bare workflow of three activities (13 s)");
  const baseline = { name: "bare workflow of three activities", ...(await bareWorkflows(harness.cluster)) };
  progress("saga: orders, placed to delivered (start, 13 s)");
  yield { bench: "saga", case: `${IN_FLIGHT} in flight`, measured: await orders(harness), baseline };
}

async function orders(harness: Harness): Promise<Measured> {
  const app = await harness.start().ready();
  for (const sku of SKUS) await stockUp(app, sku, PIECES);
  await using deliveries = await Deliveries.follow(harness.cluster);
  const measured = await load(
    IN_FLIGHT,
    async (caller, round) => {
      const nth = round * IN_FLIGHT + caller;
      const orderId = await place(app, SKUS[nth % SKUS.length]!, 1, { customerId: `customer-${nth % CUSTOMERS}` });
      await deliveries.of(orderId);
    },
    LOAD,
  );
  return { ...measured, rssMb: rssOf(await pidOf(app)) };
}

async function bareWorkflows(namespace: string): Promise<Measured> {
  const address = await testServer("temporal");
  const temporal = temporalConnection({ address, namespace, deadlineMs: ENDS_WITHIN_MS });
  const taskQueue = newId("bare");
  const workflowsPath = Bun.fileURLToPath(new URL("bare-workflow.ts", import.meta.url));
  const activities: BareActivities = { step: async (orderId) => orderId };
  const workers = startWorkers({
    address,
    namespace,
    queues: [{ taskQueue, workflowsPath, activities }],
    log: silentLog,
  });
  try {
    await workers.ready();
    const run = (): Promise<unknown> => {
      const workflowId = newId("bare");
      return temporal.client.workflow.execute("bareWorkflow", { workflowId, taskQueue, args: [workflowId] });
    };
    return await load(IN_FLIGHT, run, LOAD);
  } finally {
    await workers.stop();
    await temporal.close();
  }
}

/** Tells when an order is delivered by the event of it: asking the app again and again would be a load of its own. */
class Deliveries implements AsyncDisposable {
  readonly #delivered = new Set<string>();
  readonly #waiting = new Map<string, () => void>();
  readonly #close: () => Promise<void>;

  private constructor(close: () => Promise<void>) {
    this.#close = close;
  }

  static async follow(cluster: string): Promise<Deliveries> {
    const { address: _shown, ...options } = parseNatsUrl(await testServer("nats"));
    const connection = await connect(options);
    const deliveries = new Deliveries(() => connection.close());
    connection.subscribe(`${cluster}.evt.order.delivered.v1`, {
      callback: (_error, message) => deliveries.#take(message.json<{ subject: string }>().subject),
    });
    await connection.flush();
    return deliveries;
  }

  /** Resolves when the order is delivered. */
  async of(orderId: string): Promise<void> {
    if (this.#delivered.delete(orderId)) return;
    const event = Promise.withResolvers<void>();
    const late = new Error(`Order ${orderId} was not delivered within ${ENDS_WITHIN_MS} ms`);
    const timer = setTimeout(() => event.reject(late), ENDS_WITHIN_MS);
    this.#waiting.set(orderId, event.resolve);
    await event.promise.finally(() => clearTimeout(timer));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }

  #take(orderId: string): void {
    const waiting = this.#waiting.get(orderId);
    this.#waiting.delete(orderId);
    if (waiting === undefined) this.#delivered.add(orderId);
    else waiting();
  }
}
