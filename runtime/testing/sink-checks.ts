import { newId } from "../base/ids.ts";
import { eventNoun } from "../message/cloud-event.ts";
import type { PublishResult, Sink } from "../ports/sink.ts";
import type { OutboxRecord } from "../ports/store.ts";

/** @throws {Error} with `message`, when the condition does not hold. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(`Does not hold: ${message}`);
}

/**
 * Event records with new ids, in one partition, dealt to `types` and to `targets` actors of each noun in turn; every
 * other one traced. An actor emits events of one noun, as brokers with a topic per noun keep order within it.
 *
 * @example
 * ```ts
 * const records = eventRecords(10, { targets: 3, types: ["order.placed.v1"] });
 * ```
 */
export function eventRecords(
  count: number,
  { targets, types }: { readonly targets: number; readonly types: readonly string[] },
): OutboxRecord[] {
  return Array.from({ length: Math.floor(count) }, (_, i) => {
    const name = types[i % types.length] as string;
    const noun = eventNoun(name);
    const key = `${noun}_${i % targets}`;
    return {
      partition: 3,
      seq: i + 1,
      kind: "event",
      id: newId("evt"),
      name,
      actor: { type: noun, key },
      target: key,
      body: JSON.stringify({ key, number: i, note: "größer ✓" }),
      at: 1_760_000_000_000 + i,
      traceparent: i % 2 === 0 ? "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" : undefined,
    };
  });
}

/** Publishes batch after batch, each again until it is through. Resolves with the number of failed tries. */
export async function publishLikeARelay(
  sink: Sink,
  records: readonly OutboxRecord[],
  size: number,
  acked: (count: number) => void,
): Promise<number> {
  let failures = 0;
  for (let i = 0; i < records.length; i += size) {
    const batch = records.slice(i, i + size);
    for (let attempt = 1; ; attempt++) {
      try {
        const results = await sink.publish(batch, attempt);
        assert(
          results.every(({ kind }) => kind === "acked"),
          "a record was refused",
        );
        acked(batch.length);
        break;
      } catch (error) {
        failures++;
        if (attempt > 500) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }
  return failures;
}

/**
 * Publishes what is not settled yet, in order, until nothing is held any more. Resolves with the last result of each.
 * @throws {Error} something is still held, or the sink throws, after `tries` tries.
 */
export async function publishUntilSettled(
  sink: Sink,
  records: readonly OutboxRecord[],
  tries = 40,
): Promise<readonly PublishResult[]> {
  const settled = new Map<string, PublishResult>();
  let last = "";
  for (let attempt = 1; attempt <= tries; attempt++) {
    const left = records.filter(({ id }) => !settled.has(id));
    if (left.length === 0) return records.map(({ id }) => settled.get(id) as PublishResult);
    try {
      const results = await sink.publish(left, attempt);
      left.forEach(({ id }, i) => {
        const result = results[i];
        if (result !== undefined && result.kind !== "held") settled.set(id, result);
      });
      last = JSON.stringify(results);
    } catch (error) {
      last = String(error);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(
    `Does not hold: each of ${records.length} records is settled within ${tries} tries; at last: ${last}`,
  );
}

/** Asks again until the answer is true. */
export async function within(ms: number, what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + ms; !(await ask());) {
    assert(Date.now() < end, `${what} within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function distinctIds(delivered: readonly { readonly id: string }[]): ReadonlySet<string> {
  return new Set(delivered.map(({ id }) => id));
}

/** Every record is there, and once repeats are left out, those of a target stand as they were published. */
export function sameOrderPerTarget(
  delivered: readonly { readonly id: string }[],
  records: readonly OutboxRecord[],
): void {
  const recordOf = new Map(records.map((record) => [record.id, record]));
  const found = new Map<string, string[]>();
  for (const id of distinctIds(delivered)) {
    const record = recordOf.get(id);
    if (record === undefined) continue;
    const { target } = record;
    const ids = found.get(target);
    if (ids === undefined) found.set(target, [id]);
    else ids.push(id);
  }
  for (const target of new Set(records.map((record) => record.target))) {
    const wanted = records.filter((record) => record.target === target).map(({ id }) => id);
    const there = found.get(target) ?? [];
    const wrong = wanted.findIndex((id, i) => there[i] !== id);
    assert(
      wrong < 0 && there.length === wanted.length,
      `of ${target} record ${wrong + 1} of ${wanted.length} is not where it belongs (${there.length} are there)`,
    );
  }
}
