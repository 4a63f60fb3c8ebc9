import { type Periodic, periodically } from "#infra/base/periodically.ts";
import type { ContainerRecord } from "#infra/engines/container.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { type Log, silentLog } from "#runtime";
import { isJobService } from "../job/messages.ts";
import type { LoopNames } from "./watcher.ts";

/** A service, as far as the sweep looks at it. */
export interface SweptService {
  readonly name: string;
  readonly settled: boolean;
  /** The containers that were seen last. */
  readonly containers: readonly string[];
}

/** What {@link startSweep} is given. */
export interface SweepOptions {
  readonly services: () => Promise<readonly SweptService[]>;
  /** The containers of the own host. Rejects while the engine is away. */
  readonly containers: () => Promise<readonly Pick<ContainerRecord, "id" | "service" | "state">[]>;
  /** The services whose loop runs. */
  readonly running: () => Promise<ReadonlySet<string>>;
  readonly wake: (service: string) => void;
  /** Brings configuration and services together again. */
  readonly repair?: () => Promise<void>;
  readonly everyMs?: number;
  readonly log?: Log;
}

const EVERY_MS = 60_000;

/**
 * Compares services, containers and loops once a minute, and wakes what does not fit: a loop that was ended by hand, a
 * container of ours that no service knows, a service whose containers are others than it was told. All the rest is
 * events; this is for the ones that never came.
 */
export function startSweep(options: SweepOptions): Periodic {
  const { log = silentLog, everyMs = EVERY_MS } = options;
  return periodically(
    everyMs,
    () => sweep(options),
    (error) => log("debug", "sweep:failed", { error: String(error) }),
  );
}

/** One sweep. Returns whom it woke. */
export async function sweep(options: SweepOptions): Promise<readonly string[]> {
  await options.repair?.();
  const [services, containers, running] = await Promise.all([
    options.services(),
    options.containers().catch(() => []),
    options.running(),
  ]);
  const known = new Map(services.map((service) => [service.name, service]));
  const strays = containers.filter((one) => {
    if (isJobService(one.service)) return false;
    const service = known.get(one.service);
    return !service || !service.containers.includes(one.id) || (one.state !== "running" && service.settled);
  });
  const idle = services.filter(({ name, settled }) => !running.has(name) || !settled).map(({ name }) => name);
  const woken = [...new Set([...idle, ...strays.map(({ service }) => service)])].sort();
  for (const name of woken) options.wake(name);
  return woken;
}

/** The services whose reconcile loop runs, by what Temporal lists: a moment behind the truth. */
export function runningLoops(temporal: Temporal, { taskQueue }: LoopNames): () => Promise<ReadonlySet<string>> {
  return async () =>
    await temporal.call(async () => {
      const query = `WorkflowType = "reconcileService" AND ExecutionStatus = "Running" AND TaskQueue = "${taskQueue}"`;
      const found = new Set<string>();
      for await (const run of temporal.client.workflow.list({ query })) {
        const service = run.memo?.["service"];
        if (typeof service === "string") found.add(service);
      }
      return found;
    });
}
