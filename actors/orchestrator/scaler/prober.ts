import { connect } from "node:net";
import type { ContainerRecord } from "#infra/engines/container.ts";
import type { HealthCheck } from "../service/messages.ts";
import type { Health } from "./messages.ts";

type Check = Exclude<HealthCheck, { kind: "exec" }>;

/** A container to be checked. */
export interface Probed {
  readonly record: ContainerRecord;
  readonly check: Check;
}

interface Probe {
  readonly service: string;
  readonly key: string;
  readonly check: Check;
  readonly port: number | undefined;
  readonly startedAt: number;
  health: Health;
  failures: number;
  first: Promise<void>;
  seenAt: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Nobody has looked for so long: another process checks them now. */
const FORGET_AFTER_MS = 3 * 60_000;
/** A container that is starting is asked more often, so that it need not wait for its first interval. */
const STARTING_EVERY_MS = 200;

/**
 * Checks containers over HTTP and TCP at their interval, for as long as somebody looks, and says when one of them changes:
 * `starting` until the first success (or the end of the start period and `retries` failures), then `healthy`, and
 * `unhealthy` after `retries` failures in a row.
 */
export class Prober {
  readonly #probes = new Map<string, Probe>();
  readonly #changed: (service: string) => void;
  readonly #address: string;

  constructor(changed: (service: string) => void, address = "127.0.0.1") {
    this.#changed = changed;
    this.#address = address;
  }

  /** The health of these containers of a service; those of it that are not named are checked no longer. */
  async look(service: string, wanted: readonly Probed[]): Promise<ReadonlyMap<string, Health>> {
    const keep = new Set(wanted.map(({ record }) => record.id));
    for (const [id, probe] of this.#probes) if (probe.service === service && !keep.has(id)) this.#forget(id);
    const result = new Map<string, Health>();
    for (const { record, check } of wanted) {
      const key = JSON.stringify([check, record.startedAt, record.ports]);
      let probe = this.#probes.get(record.id);
      if (probe?.key !== key) {
        this.#forget(record.id);
        probe = this.#begin(service, record, check, key);
      }
      probe.seenAt = Date.now();
    }
    // What was never asked is asked now: after a restart of this process nobody is taken for ill.
    await Promise.all(wanted.map(({ record }) => this.#probes.get(record.id)?.first ?? Promise.resolve()));
    for (const { record } of wanted) result.set(record.id, this.#probes.get(record.id)?.health ?? "starting");
    return result;
  }

  stop(): void {
    for (const id of this.#probes.keys()) this.#forget(id);
  }

  #begin(service: string, record: ContainerRecord, check: Check, key: string): Probe {
    const probe: Probe = {
      service,
      key,
      check,
      port: record.ports.find((port) => port.container === check.port)?.host,
      startedAt: Date.parse(record.startedAt ?? "") || Date.now(),
      health: "starting",
      failures: 0,
      first: Promise.resolve(),
      seenAt: Date.now(),
      timer: undefined,
    };
    this.#probes.set(record.id, probe);
    probe.first = this.#ask(record.id, probe, true);
    return probe;
  }

  async #ask(id: string, probe: Probe, first = false): Promise<void> {
    const { check, port } = probe;
    const good = port !== undefined && (await attempt(check, this.#address, port));
    if (this.#probes.get(id) !== probe) return;
    const before = probe.health;
    if (good) {
      probe.failures = 0;
      probe.health = "healthy";
    } else if (before === "healthy" || Date.now() - probe.startedAt > check.startPeriodMs) {
      probe.failures++;
      if (probe.failures >= check.retries) probe.health = "unhealthy";
    }
    if (probe.health !== before && !first) this.#changed(probe.service);
    if (Date.now() - probe.seenAt > FORGET_AFTER_MS) return this.#forget(id);
    const pauseMs = probe.health === "starting" ? Math.min(STARTING_EVERY_MS, check.intervalMs) : check.intervalMs;
    probe.timer = setTimeout(() => void this.#ask(id, probe), pauseMs);
  }

  #forget(id: string): void {
    clearTimeout(this.#probes.get(id)?.timer);
    this.#probes.delete(id);
  }
}

async function attempt(check: Check, address: string, port: number): Promise<boolean> {
  if (check.kind === "tcp") return await opens(address, port, check.timeoutMs);
  try {
    const response = await fetch(`http://${address}:${port}${check.path}`, {
      signal: AbortSignal.timeout(check.timeoutMs),
      redirect: "manual",
      keepalive: false,
    });
    await response.body?.cancel();
    return response.status < 400;
  } catch {
    return false;
  }
}

/** A port that Docker publishes takes every connection; where nothing listens behind it, it is closed at once. */
function opens(address: string, port: number, withinMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (good: boolean): void => {
      clearTimeout(late);
      socket.destroy();
      resolve(good);
    };
    const late = setTimeout(() => end(false), withinMs);
    socket.once("connect", () => setTimeout(() => end(!socket.destroyed), 50));
    socket.once("close", () => end(false));
    socket.once("error", () => end(false));
  });
}
