import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { check, type Violation } from "./checker.ts";
import { runClients } from "./clients.ts";
import { type Fault, FAULTS, Nodes } from "./faults.ts";
import { look } from "./look.ts";
import { startNode } from "./node.ts";
import { Random } from "./random.ts";

/** What {@link chaos} is told. */
export interface ChaosOptions {
  /** The same seed brings the same faults at the same moments; what the machine makes of them differs. */
  readonly seed: number;
  /** How long things go wrong, in milliseconds. */
  readonly forMs: number;
  readonly faults?: readonly Fault[];
  readonly nodes?: number;
  readonly clients?: number;
}

/** What came of it. */
export interface Verdict {
  readonly seed: number;
  readonly forMs: number;
  readonly faults: Readonly<Record<Fault, number>>;
  readonly raises: number;
  readonly moves: number;
  readonly failedTries: number;
  /** From the first try of a request to its answer. */
  readonly longestMs: number;
  /** Empty: everything held. */
  readonly violations: readonly Violation[];
}

/**
 * Lets node processes that share a Postgres database and NATS be killed, paused and stopped at random while clients count
 * and move money, then holds what is there against what was answered. The database is its own, and dropped afterwards.
 */
export async function chaos({ seed, forMs, faults = FAULTS, nodes = 3, clients = 16 }: ChaosOptions): Promise<Verdict> {
  await using database = await testDatabase("chaos");
  const servers = {
    databaseUrl: database.url,
    natsUrl: await testServer("nats"),
    subjectPrefix: `chaos${crypto.randomUUID().replaceAll("-", "").slice(0, 12)}.node`,
  };
  await using processes = await Nodes.start(servers, nodes);
  const entrance = await startNode(servers, false);
  const patience = { longestMs: 0, failedTries: 0 };
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(), forMs);
  try {
    // Each has numbers of its own: what one does must not change with the speed of another.
    const randoms = Array.from({ length: clients }, (_, i) => new Random(seed * 1_000 + i + 1));
    const [history] = await Promise.all([
      runClients(entrance, randoms, patience, over.signal),
      processes.trouble(new Random(seed * 1_000), faults, over.signal),
    ]);
    const store = postgresStore(database.url);
    const violations = check(history, await look(store, history));
    await store.close();
    const { raises, moves } = history;
    return {
      seed,
      forMs,
      faults: processes.counts,
      raises: raises.length,
      moves: moves.length,
      ...patience,
      violations,
    };
  } finally {
    clearTimeout(timer);
    over.abort();
    await entrance.stop(1_000);
  }
}
