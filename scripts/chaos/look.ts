import { eventually } from "#infra/testing/eventually.ts";
import { parseAddress, type OutboxRecord, type Store } from "#runtime";
import type { Found, History } from "./checker.ts";

const PAGE = 200;
/** Of what went wrong, at most. */
const SHOWN = 20;
const QUIET_WITHIN_MS = 60_000;

/**
 * Reads what the store holds, once every send has arrived: as many changes as were sent, or nothing new any more for
 * ten looks.
 */
export async function look(store: Store, { moves }: History): Promise<Found> {
  let seen = -1;
  let same = 0;
  await eventually("every send has arrived", QUIET_WITHIN_MS, async () => {
    const accounts = await all<{ changes: number }>(store, "account");
    const changes = accounts.reduce((sum, { state }) => sum + state.changes, 0);
    same = changes === seen ? same + 1 : 0;
    seen = changes;
    return changes >= moves.length * 2 || same >= 400;
  });
  const counters = await all<{ count: number }>(store, "counter");
  const accounts = await all<{ balance: number; changes: number }>(store, "account");
  const [events, sends] = [await outbox(store, "event"), await outbox(store, "send")];
  const sequences = new Map<number, number[]>();
  for (const { partition, seq } of [...events, ...sends]) {
    sequences.set(partition, [...(sequences.get(partition) ?? []), seq]);
  }
  for (const numbers of sequences.values()) numbers.sort((a, b) => a - b);
  return {
    counters: new Map(counters.map(({ key, version, state }) => [key, { ...state, version }])),
    accounts: new Map(accounts.map(({ key, version, state }) => [key, { ...state, version }])),
    events: events.map(({ partition, target, body }) => ({
      partition,
      counter: target,
      to: (JSON.parse(body) as { to: number }).to,
    })),
    sequences,
    unanswered: await unanswered(store, sends),
    deadLetters: (await store.deadLetters({}, { after: 0, limit: SHOWN })).map(
      ({ id, target, attempts, detail }) => `${id} to ${target} after ${attempts} tries: ${detail}`,
    ),
  };
}

/** The sends whose message id has no reply at their actor. */
async function unanswered(store: Store, sends: readonly OutboxRecord[]): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < sends.length && found.length < SHOWN; i += PAGE) {
    const some = sends.slice(i, i + PAGE);
    const replies = await store.findReplies(some.map(({ id, target }) => ({ ...parseAddress(target), id })));
    for (const [j, { id, target, partition, seq }] of some.entries())
      if (replies[j] === undefined) found.push(`${id} to ${target}, number ${seq} of partition ${partition}`);
  }
  return found.slice(0, SHOWN);
}

interface Stored<State> {
  readonly key: string;
  readonly version: number;
  readonly state: State;
}

async function all<State>(store: Store, type: string): Promise<Stored<State>[]> {
  const rows: Stored<State>[] = [];
  for (;;) {
    const page = await store.list(type, { limit: PAGE, after: rows.at(-1)?.key });
    rows.push(...page.map((row) => ({ ...row, state: JSON.parse(row.state) as State })));
    if (page.length < PAGE) return rows;
  }
}

async function outbox(store: Store, kind: "event" | "send"): Promise<OutboxRecord[]> {
  const records: OutboxRecord[] = [];
  for (let partition = 0; partition < store.partitions; partition++) {
    for (let after = 0; ;) {
      const page = await store.readOutbox(kind, [{ partition, after }], 1_000);
      records.push(...page);
      const last = page.at(-1);
      if (last === undefined) break;
      after = last.seq;
    }
  }
  return records;
}
