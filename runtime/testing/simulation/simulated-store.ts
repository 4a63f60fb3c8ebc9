import { isRefusal } from "../../activation/reply-cache.ts";
import {
  type CommitBatch,
  CommitRefusedError,
  FencedError,
  OutcomeUnknownError,
  type Store,
} from "../../ports/store.ts";
import type { CommitEntry } from "./history.ts";
import { never, type NodeLife } from "./node-life.ts";
import { recordEntry } from "./record-entry.ts";
import type { Surroundings } from "./surroundings.ts";

/**
 * The store as one node reaches it: every request takes its way there and back, and may come to harm on it. What a node
 * sent is carried out even when the node dies meanwhile.
 */
export function simulatedStore(world: Surroundings, life: NodeLife): Store {
  const methods = new Map<PropertyKey, unknown>();
  // A proxy, so that whatever a store can do is reached the same way.
  return new Proxy(world.store, {
    get(target, property) {
      const known = methods.get(property);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      const method =
        property === "commit"
          ? (node: string, batch: CommitBatch) => commit(world, life, node, batch)
          : (...args: unknown[]) => request(world, life, String(property), args, () => value.apply(target, args));
      methods.set(property, method);
      return method;
    },
  });
}

/** What answers with rows that a commit may change meanwhile. */
const READS: ReadonlySet<string> = new Set([
  "load",
  "findReplies",
  "timers",
  "timersOf",
  "paused",
  "cursors",
  "readOutbox",
]);

/** What ends a connection in the middle of a commit, and stands on no list. */
const ODD_ERRORS = ["EHOSTUNREACH", "ENETDOWN", "ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "ECONNABORTED", "XX000"] as const;

/** A batch with the turns in it that made no version. */
interface SentBatch extends CommitBatch {
  readonly unchanged: readonly number[];
}

/** A way to the store or back, in milliseconds. */
function wayMs(world: Surroundings): number {
  const { random, plan, leaseMs } = world;
  if (plan.strikes("store-slow")) return 5 + random.fraction() * leaseMs * 1.2;
  return 0.05 + random.fraction() * 0.8;
}

async function request(
  world: Surroundings,
  life: NodeLife,
  name: string,
  args: readonly unknown[],
  apply: () => Promise<unknown>,
): Promise<unknown> {
  if (!life.alive) return never();
  // Half of the failures lose the request, half of them the answer.
  const fails = world.plan.strikes("store-error");
  const lost = fails && world.random.chance(0.5);
  await world.time.sleep(wayMs(world));
  const failed = new Error(`the store failed to ${name}`);
  let failure = fails ? failed : undefined;
  let value: unknown;
  if (lost) {
    world.note({ kind: "fault", fault: "store-error", detail: `${name} of ${life.id}` });
  } else {
    try {
      value = await apply();
      note(world, life, name, args, value);
    } catch (error) {
      failure = asError(error);
    }
  }
  const late = READS.has(name) && world.plan.strikes("read-late") ? world.random.fraction() * world.leaseMs * 3 : 0;
  await life.sleep(wayMs(world) + late);
  if (failure !== undefined) throw failure;
  return value;
}

async function commit(world: Surroundings, life: NodeLife, node: string, batch: CommitBatch): Promise<void> {
  const actors = (): string[] => batch.states.map(({ type, key }) => `${type}/${key}`);
  const unchanged = life.committingUnchanged; // this very call's
  if (!life.alive || world.crashesAt("before-commit", life, actors)) return never();
  life.committing++;
  await world.time.sleep(wayMs(world));
  while (world.time.now < world.stalledUntil) await world.time.sleep(world.stalledUntil - world.time.now);
  const failure = await carryOut(world, life, node, { ...batch, unchanged });
  if (failure === undefined && world.crashesAt("after-commit-before-reply", life, actors)) return never();
  await life.sleep(wayMs(world));
  life.committing--;
  if (failure !== undefined) throw failure;
}

/** Does with a commit what the seed says. Resolves with what the node will be told: the failure, or nothing. */
async function carryOut(
  world: Surroundings,
  life: NodeLife,
  node: string,
  batch: SentBatch,
): Promise<Error | undefined> {
  const { plan, random, time } = world;
  const refused = plan.refuses(batch.states.map(({ type, key }) => `${type}/${key}`));
  if (refused || plan.strikes("commit-refused")) {
    world.note(commitEntry(life, batch, "refused"));
    return new CommitRefusedError("the store refused the commit");
  }
  const odd = plan.strikes("commit-lost");
  if (!odd && !plan.strikes("commit-unknown")) return write(world, life, node, batch);
  const fate = random.pick(["lost", "written", "straggles"]);
  world.note({ kind: "fault", fault: "commit-unknown", detail: `${fate}, of ${life.id}` });
  world.note(commitEntry(life, batch, "unknown"));
  if (fate === "written") {
    await write(world, life, node, batch);
  } else if (fate === "straggles") {
    world.underWay++;
    time.after(random.fraction() * 60, () => {
      world.underWay--;
      void write(world, life, node, batch);
    });
  }
  if (!odd) return new OutcomeUnknownError("the connection was lost");
  const code = random.pick(ODD_ERRORS);
  return Object.assign(new Error(`the connection ended with ${code}`), { code });
}

async function write(world: Surroundings, life: NodeLife, node: string, batch: SentBatch): Promise<Error | undefined> {
  try {
    await world.store.commit(node, batch);
    world.note(commitEntry(life, batch, "applied"));
    return undefined;
  } catch (error) {
    world.note(commitEntry(life, batch, error instanceof FencedError ? "fenced" : "refused"));
    return asError(error);
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function commitEntry(life: NodeLife, batch: SentBatch, outcome: CommitEntry["outcome"]): Omit<CommitEntry, "at"> {
  return {
    kind: "commit",
    node: life.id,
    outcome,
    fences: batch.fences,
    states: batch.states.map(({ type, key, version, state }) => ({
      actor: `${type}/${key}`,
      version,
      state: state ?? null,
    })),
    ...(batch.unchanged.length > 0 && { unchanged: batch.unchanged }),
    refusals: batch.replies.filter(isRefusal).map(({ type, key, id }) => ({ actor: `${type}/${key}`, id })),
    replies: batch.replies
      .filter((reply) => !isRefusal(reply))
      .map(({ type, key, id, reply }) => ({ actor: `${type}/${key}`, id, reply: reply ?? null })),
    outbox: batch.outbox.map(recordEntry),
    timers: batch.timers.map(({ type, key, name, dueAt }) => ({
      actor: `${type}/${key}`,
      name,
      dueAt: dueAt ?? null,
    })),
  };
}

/** Tells the history who holds what, and what was given up. */
function note(world: Surroundings, life: NodeLife, name: string, args: readonly unknown[], value: unknown): void {
  if (name === "recordDeadLetters") {
    const [letters] = args as Parameters<Store["recordDeadLetters"]>;
    for (const { id, target } of letters) world.note({ kind: "dead-letter", id, target });
  } else if (name === "release") {
    const [, fences] = args as Parameters<Store["release"]>;
    for (const { partition, epoch } of fences) world.note({ kind: "ownership", node: null, partition, epoch });
  } else if (name !== "heartbeat" && Array.isArray(value)) {
    for (const row of value as readonly object[]) {
      if (!isGrant(row)) return;
      world.note({ kind: "ownership", node: life.id, partition: row.partition, epoch: row.epoch });
    }
  }
}

function isGrant(row: object): row is { readonly partition: number; readonly epoch: number } {
  return typeof row === "object" && "partition" in row && "epoch" in row && "commitSeq" in row;
}
