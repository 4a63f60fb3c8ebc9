import type { OutboxRecord, Store } from "#runtime";

/** For tests: what the actors of a store emitted, oldest first per actor. Give the troupe no sinks, so that it stays. */
export async function outboxOf(
  store: Store,
): Promise<readonly { readonly name: string; readonly data: unknown; readonly target: string }[]> {
  const records = await readAll(store);
  return records.map(({ name, body, target }) => ({ name, target, data: JSON.parse(body) as unknown }));
}

/** For tests: the names of everything emitted, as in `order.placed.v1` or `start`. */
export async function emittedBy(store: Store): Promise<readonly string[]> {
  return (await readAll(store)).map(({ name }) => name);
}

/** For tests: the names of the timers that are set. */
export async function timersOf(store: Store): Promise<readonly string[]> {
  const timers = await store.timers(everyPartition(store), Number.MAX_SAFE_INTEGER, 1_000);
  return timers.map(({ name }) => name);
}

async function readAll(store: Store): Promise<readonly OutboxRecord[]> {
  const from = everyPartition(store).map((partition) => ({ partition, after: 0 }));
  const [events, requests] = await Promise.all([
    store.readOutbox("event", from, 1_000),
    store.readOutbox("workflow", from, 1_000),
  ]);
  return [...events, ...requests].sort((a, b) => a.partition - b.partition || a.seq - b.seq);
}

function everyPartition({ partitions }: Store): number[] {
  return Array.from({ length: partitions }, (_, partition) => partition);
}
