/**
 * The servers behind Troupe, started together.
 *
 * Owns the data folder while it runs (a lock that no second run gets), the servers it started, and `<data>/stack.json`.
 * S1 One live owner per data folder; what a killed owner left is ended before anything is started.
 * S2 A server that cannot be had takes nothing else with it: it is in `missing`, with the command that fixes it.
 * S3 After `stop()` no process that the stack started runs. Databases stop last, since the others may still write to them.
 */
import { createHash } from "node:crypto";
import { mkdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { findComposition } from "./compose.ts";
import { endLeftovers } from "./leftovers.ts";
import { ServerLife } from "./lifecycle.ts";
import { tryLock } from "./lock.ts";
import { Ports } from "./ports.ts";
import { ownMark } from "./process-mark.ts";
import { RECIPES } from "./recipes.ts";
import { readRecord, type RecordedApp, removeRecord, type StackRecord, writeRecord } from "./state-file.ts";
import {
  type Env,
  EVERY_SERVER,
  type MissingServer,
  type Reporter,
  type RunningServer,
  SERVER_NAMES,
  type ServerName,
} from "./types.ts";

export { readLiveRecord, type RecordedApp, type StackRecord } from "./state-file.ts";
export {
  type Env,
  EVERY_SERVER,
  type MissingServer,
  type Reporter,
  type RunningServer,
  type ServerName,
  type StackEvent,
} from "./types.ts";

/** The running servers. */
export interface Stack {
  /** What the app needs to reach them: `DATABASE_URL`, `NATS_URL`, `KAFKA_BROKERS`, `RABBITMQ_URL`, `REDIS_URL`, `TEMPORAL_ADDRESS`, … */
  readonly env: Env;
  readonly servers: readonly RunningServer[];
  readonly missing: readonly MissingServer[];
  /** Notes the app processes in `stack.json`, so that people and other commands find them, and the next start ends them if we are killed. */
  recordApps(apps: readonly RecordedApp[]): void;
  /** Stops every server the stack started; databases last. Resolves when all are gone; may be called again. */
  stop(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** What to start, and where. */
export interface StackOptions {
  /** @default every server */
  readonly servers?: readonly ServerName[];
  /** Holds data, logs and `stack.json`; created when missing. */
  readonly dataDir: string;
  /** @default containers for servers whose image is on this machine, else native processes */
  readonly infra?: "native" | "compose";
  readonly report?: Reporter;
  /** Whether servers try their usual ports (5432, 4222, …) first. @default true */
  readonly preferUsualPorts?: boolean;
  /** Ends the start: what is up by then is stopped, and `startStack` rejects with the reason. */
  readonly signal?: AbortSignal;
}

/** Thrown when another live process owns the data folder. `owner` is its record, if it could be read. */
export class StackBusyError extends Error {
  override readonly name = "StackBusyError";
  readonly code = "stack_busy";
  readonly owner: StackRecord | undefined;

  constructor(dataDir: string, owner: StackRecord | undefined) {
    const app = owner?.apps[0]?.address;
    const who =
      owner === undefined
        ? "another process"
        : `"${owner.command}" (pid ${owner.owner.pid}${app === undefined ? "" : `, ${app}`})`;
    super(`Cannot start servers in ${dataDir} as ${who} runs there: stop it, or choose another folder with --data DIR`);
    this.owner = owner;
  }
}

/**
 * Starts the servers side by side and resolves when each one either answers or is known to be missing.
 * Throws {@link StackBusyError} when another process owns the folder, and `UnavailableError` when compose was asked for and is not there.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  mkdirSync(join(options.dataDir, "logs"), { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const lock = tryLock(join(dataDir, "stack.lock"));
  if (lock === undefined) throw new StackBusyError(dataDir, readRecord(dataDir));
  const ports = new Ports(options.preferUsualPorts ?? true);
  const lives: ServerLife[] = [];
  let apps: readonly RecordedApp[] = [];
  let phase: "up" | "stopping" | "down" = "up";
  let stopped: Promise<void> | undefined;

  const head = { version: 1 as const, owner: ownMark(), command: commandLine(), startedAt: new Date().toISOString() };
  const changed = (): void => {
    if (phase === "down") return;
    writeRecord(dataDir, { ...head, servers: lives.flatMap((life) => life.record() ?? []), apps });
  };
  const stop = async (): Promise<void> => {
    phase = "stopping";
    await Promise.all(lives.filter((life) => life.recipe.name !== "postgres").map((life) => life.stop()));
    await Promise.all(lives.map((life) => life.stop()));
    phase = "down";
    removeRecord(dataDir);
    ports[Symbol.dispose]();
    lock.release();
  };
  const stopOnce = (): Promise<void> => (stopped ??= stop());

  try {
    await endLeftovers(dataDir);
    const id = createHash("sha256").update(dataDir).digest("hex").slice(0, 6);
    const recipes = EVERY_SERVER.filter((name) => (options.servers ?? SERVER_NAMES).includes(name)).map(
      (name) => RECIPES[name],
    );
    const composition = await findComposition(options.infra, id, recipes);
    const context = { dataDir, id, ports, composition, changed, report: options.report ?? ((): void => undefined) };
    options.signal?.throwIfAborted();
    lives.push(...recipes.map((recipe) => new ServerLife(recipe, context)));
    changed();
    const started = await unlessAborted(Promise.all(inStartOrder(lives).map((life) => life.start())), options.signal);
    const outcomes = started.toSorted((one, other) => placeOf(one) - placeOf(other));
    const servers = outcomes.filter((outcome): outcome is RunningServer => "address" in outcome);
    return {
      env: Object.assign({}, ...servers.map((server) => server.env)) as Env,
      servers,
      missing: outcomes.filter((outcome): outcome is MissingServer => "fix" in outcome),
      recordApps: (next) => {
        apps = next;
        changed();
      },
      stop: stopOnce,
      [Symbol.asyncDispose]: stopOnce,
    };
  } catch (error) {
    await stopOnce();
    throw error;
  }
}

/** Kafka first: where nothing is there yet, its download takes longest. All of them begin within a moment. */
function inStartOrder(lives: readonly ServerLife[]): ServerLife[] {
  return lives.toSorted((one, other) => Number(other.recipe.name === "kafka") - Number(one.recipe.name === "kafka"));
}

/** As people are shown them. */
function placeOf(outcome: RunningServer | MissingServer): number {
  return EVERY_SERVER.indexOf("fix" in outcome ? outcome.server : outcome.name);
}

function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

/** What people typed, near enough: `bun run dev`. */
function commandLine(): string {
  const script = process.env["npm_lifecycle_event"];
  return script === undefined ? ["bun", ...process.argv.slice(1)].join(" ") : `bun run ${script}`;
}
