/**
 * The proof run of the shop: simulated orders with every fate, while the worker of the sagas is killed again and again and
 * Kafka and RabbitMQ are away once each. In the end every order must be at an end, everything must add up, and every
 * invoice and every notice must be there once.
 */
import { followTopics } from "#actors/ingress/web/follow-topics.ts";
import { pause } from "#infra/base/pause.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import { AppProcess } from "../../e2e/app-process.ts";
import { OwnSystem } from "../outages/system.ts";
import { verdictOf, type ShopVerdict } from "./verdict.ts";

/** What {@link shopRun} is told. */
export interface ShopRunOptions {
  readonly orders: number;
  readonly ratePerSecond: number;
  /** How long a worker lives, in milliseconds. */
  readonly killEveryMs: number;
  /** How long a broker is away, in milliseconds. */
  readonly awayMs: number;
  readonly onStart?: (end: () => Promise<void>) => void;
  readonly onLine?: (line: string) => void;
  readonly say?: (what: string) => void;
}

/** How the simulation stands. */
interface Progress {
  readonly status: string;
  readonly counts: Readonly<Record<string, number>>;
}

const CUSTOMERS = 50;
const FATES = { declineShare: 0.1, cancelShare: 0.05, lostShare: 0.05 };
const POLLS_WITHIN_MS = 600_000;
const ENDS_WITHIN_MS = 3_600_000;
const SETTLES_WITHIN_MS = 300_000;

export async function shopRun(options: ShopRunOptions): Promise<ShopVerdict> {
  const { orders, ratePerSecond, killEveryMs, awayMs, onLine, onStart, say = () => undefined } = options;
  say("starting the servers");
  await using temporal = await OwnBroker.start("temporal");
  const shared = {
    TEMPORAL_ADDRESS: temporal.address,
    TROUPE_CLUSTER: "proof",
    DELIVERY_STEP: "200ms",
    DECIDE_WITHIN: "5s",
    OTEL_SDK_DISABLED: "true",
  };
  await using system = await OwnSystem.start(shared, onLine);
  const workers = new Workers(system, shared, onLine);
  onStart?.(async () => {
    await workers[Symbol.asyncDispose]();
    await system[Symbol.asyncDispose]();
    await temporal[Symbol.asyncDispose]();
  });
  await using _workers = workers;
  const app = await system.startApp().ready();
  await workers.start();

  const told: { readonly id: string; readonly orderId: string; readonly type: string }[] = [];
  const topics = Array.from({ length: CUSTOMERS }, (_, i) => `notifications/sim-customer-${i}`);
  const following = followTopics(`${system.address.replace("http", "ws")}/ws`, topics, {
    onMessage: ({ type, data }) => {
      if (type === "notification.told") told.push(data as (typeof told)[number]);
    },
  });
  try {
    const started = await app.post("/simulations", { orders, ratePerSecond, ...FATES });
    if (started.status !== 202) throw new Error(`The simulation did not start: ${JSON.stringify(started.body)}`);
    const { id } = started.body as { id: string };
    const progress = async (): Promise<Progress | undefined> => {
      const answer = await app.get(`/simulations/${id}`).catch(() => undefined);
      return answer?.status === 200 ? (answer.body as Progress) : undefined;
    };

    const over = new AbortController();
    const killing = workers.killEvery(killEveryMs, over.signal, say);
    const breaking = (async () => {
      for (const [broker, share] of [
        ["kafka", 1 / 3],
        ["rabbitmq", 2 / 3],
      ] as const) {
        await eventually(`${broker} is to go`, ENDS_WITHIN_MS, async () => {
          const now = await progress();
          return (now?.counts["placed"] ?? 0) >= orders * share || (now !== undefined && now.status !== "running");
        });
        say(`${broker} is killed`);
        await system.server(broker).kill();
        await pause(awayMs);
        await system.server(broker).start();
        say(`${broker} is back`);
      }
    })();
    let last = "";
    await eventually("the simulation is over", ENDS_WITHIN_MS, async () => {
      const now = await progress();
      const text = JSON.stringify(now?.counts ?? {});
      if (text !== last) say((last = text));
      await pause(2_000);
      return now !== undefined && now.status !== "running";
    });
    await breaking;
    over.abort();
    await killing;
    say("reading what came of it");
    const ids = Array.from({ length: orders }, (_, number) => `ord_${id.slice("sim_".length)}-${number}`);
    return await verdictOf(app, ids, told, { kills: workers.kills, settlesWithinMs: SETTLES_WITHIN_MS });
  } finally {
    following.close();
  }
}

/** One process that runs the sagas, and the next one when it was killed. */
class Workers implements AsyncDisposable {
  kills = 0;
  readonly #system: OwnSystem;
  readonly #environment: Readonly<Record<string, string>>;
  readonly #onLine: ((line: string) => void) | undefined;
  #process: AppProcess | undefined;

  constructor(
    system: OwnSystem,
    environment: Readonly<Record<string, string>>,
    onLine: ((line: string) => void) | undefined,
  ) {
    this.#system = system;
    this.#environment = environment;
    this.#onLine = onLine;
  }

  async start(): Promise<void> {
    const environment = { ...this.#system.environment, ...this.#environment };
    this.#process = new AppProcess({ ...environment, PORT: "0", TROUPE_ROLES: "workflows" }, this.#onLine);
    const worker = this.#process;
    // It lives from when it takes work: on a busy machine that is long after it was started.
    await eventually("the worker polls", POLLS_WITHIN_MS, async () => {
      const answer = await worker.get("/ready").catch(() => undefined);
      return answer?.status === 200;
    });
  }

  async killEvery(everyMs: number, over: AbortSignal, say: (what: string) => void): Promise<void> {
    for (;;) {
      await pause(everyMs, over);
      if (over.aborted) return;
      await this.#process?.kill();
      this.kills++;
      say(`worker killed (${this.kills})`);
      await this.start();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.[Symbol.asyncDispose]();
  }
}
