import type { AnyActorType, StateOutput } from "../../actor/any-actor.ts";
import type { ActorSummary } from "../../indexing/where.ts";
import { TroupeError } from "../../message/errors.ts";
import type { OutboxKind } from "../../ports/store.ts";
import { checkHistory } from "./check-history.ts";
import { type SimulatedClient, simulatedClient } from "./client.ts";
import { FAULT_KINDS, type Fault } from "./faults.ts";
import type { History } from "./history.ts";
import { numberFromHost } from "./host-settings.ts";
import { rest, storedActors } from "./rest.ts";
import { SimulationError } from "./simulation-error.ts";
import { type Violation, violation } from "./violation.ts";
import { World } from "./world.ts";

/** What is left when all has come to rest. */
export interface Outcome {
  readonly seed: number;
  /** The committed actors of a type, by key. */
  actors<A extends AnyActorType>(type: A): readonly ActorSummary<StateOutput<A>>[];
  readonly history: History;
}

/**
 * Something that must hold in the end. It does not when it answers `false`, answers a text (that says what is wrong) or
 * throws.
 */
export type Invariant = (outcome: Outcome) => unknown;

/** What `simulate` is given, but for the seed. */
export interface SimulationSetup {
  readonly actors: readonly AnyActorType[];
  /** Nodes of the cluster. Default 3. */
  readonly nodes?: number;
  /** What one client does. Errors of calls may be left to themselves: any other error ends the simulation. */
  readonly workload: (client: SimulatedClient) => Promise<unknown>;
  /** How many clients run it, each from a moment of its own. Default 12. */
  readonly steps?: number;
  /** Runs to its end before anything goes wrong. */
  readonly prepare?: (client: SimulatedClient) => Promise<unknown>;
  /** What may go wrong. Default: {@link FAULT_KINDS}. `[]`: nothing. */
  readonly faults?: readonly Fault[];
  /** What must hold in the end, beside the runtime's own promises. */
  readonly invariants?: readonly Invariant[];
  /** Sinks by name, with what they accept. Default: `{ broker: "event" }`. */
  readonly sinks?: Readonly<Record<string, OutboxKind>>;
  /** Simulated milliseconds in which steps begin and things go wrong. Default 1,200. */
  readonly spanMs?: number;
  /** Simulated milliseconds that pass after it, as for timers to fire. Default 0. */
  readonly settleMs?: number;
  /** Lease of the nodes, in simulated milliseconds. Default 400. */
  readonly leaseMs?: number;
}

/** What `simulate` is given. */
export interface SimulationOptions extends SimulationSetup {
  /** The same seed gives the same history, to the byte. */
  readonly seed: number;
}

/** How long, in simulated time, everything may take to come to rest once nothing goes wrong any more. */
const REST_MS = 60_000;

/**
 * Runs actors on several nodes in one process, in simulated time, over a store, a network and sinks that fail as the seed
 * says; then checks the promises G1 to G9 and the `invariants` against what happened. The same seed does the same again.
 * Handlers and workloads must take time and chance from what they are given (`c.now`, `client.random`), and wait for
 * nothing outside.
 *
 * With `TROUPE_SEED` in the environment that seed is taken instead.
 *
 * @throws {TypeError} when an actor keeps a journal: the checker does not know journals.
 * @throws {SimulationError} when a promise or an invariant does not hold: with the seed, what is wrong, the lines of the
 * history that lead to it, and the command that runs it again.
 *
 * @example
 * ```ts
 * await simulate({
 *   seed: 7,
 *   actors: [Counter],
 *   workload: ({ ref, random }) => ref(Counter, random.pick(["a", "b"])).add({ by: 1 }),
 * });
 * ```
 */
export async function simulate(options: SimulationOptions): Promise<Outcome> {
  const seed = numberFromHost("TROUPE_SEED") ?? options.seed;
  const { outcome, violations } = await runSeed(options, seed);
  if (violations.length > 0) throw new SimulationError(seed, violations, outcome.history);
  return outcome;
}

/** One seed from start to verdict. */
export async function runSeed(
  setup: SimulationSetup,
  seed: number,
): Promise<{ readonly outcome: Outcome; readonly violations: readonly Violation[] }> {
  const spanMs = setup.spanMs ?? 1_200;
  const world = new World({
    actors: setup.actors,
    nodes: setup.nodes ?? 3,
    seed,
    spanMs,
    leaseMs: setup.leaseMs ?? 400,
    faults: setup.faults ?? FAULT_KINDS,
    sinks: setup.sinks ?? { broker: "event" },
  });
  const running = play(world, setup);
  let ended: { readonly error: unknown } | "well" | undefined;
  running.then(
    () => {
      ended = "well";
    },
    (error: unknown) => {
      ended = { error };
    },
  );
  await world.time.run(() => ended !== undefined, spanMs + (setup.settleMs ?? 0) + 10 * REST_MS);
  if (typeof ended === "object") throw ended.error;
  const stored = await storedActors(world, setup.actors);
  const outcome: Outcome = {
    seed,
    history: world.history,
    actors: (type) => (stored.get(type.type) ?? []) as readonly ActorSummary<StateOutput<typeof type>>[],
  };
  return { outcome, violations: [...checkHistory(world.history), ...(await broken(setup.invariants ?? [], outcome))] };
}

/** The course of one simulation: everything is started, things go wrong, nothing goes wrong any more, rest. */
async function play(world: World, setup: SimulationSetup): Promise<void> {
  world.startNodes();
  await setup.prepare?.(simulatedClient(world, -1));
  const steps = Promise.all(Array.from({ length: setup.steps ?? 12 }, (_, step) => playStep(world, setup, step)));
  steps.catch(() => undefined); // Heard below.
  await world.breakThings();
  world.heal();
  await steps;
  await world.time.sleep(setup.settleMs ?? 0);
  await rest(world, REST_MS);
}

async function playStep(world: World, { workload, spanMs = 1_200 }: SimulationSetup, step: number): Promise<void> {
  await world.time.sleep(world.random.fraction() * spanMs);
  try {
    await workload(simulatedClient(world, step));
  } catch (error) {
    // A call may end badly: whether it may end this badly is for the checker to say.
    if (!(error instanceof TroupeError)) throw error;
  }
}

async function broken(invariants: readonly Invariant[], outcome: Outcome): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const [i, invariant] of invariants.entries()) {
    const name = invariant.name === "" ? `number ${i + 1}` : invariant.name;
    try {
      const verdict: unknown = await invariant(outcome);
      if (verdict !== false && typeof verdict !== "string") continue;
      const detail = verdict === false ? name : `${name}, ${verdict}`;
      violations.push(violation("invariant", outcome.history.length - 1, detail, []));
    } catch (error) {
      violations.push(violation("invariant", outcome.history.length - 1, `${name}, ${String(error)}`, []));
    }
  }
  return violations;
}
