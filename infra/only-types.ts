import type { PublishResult, Sink } from "#runtime";

const ACKED: PublishResult = { kind: "acked" };

/**
 * A sink that gets the events of some types only; the others count as published there, and its cursor passes them.
 *
 * @param types exact (`order.placed.v1`), or all of a noun (`order.*`).
 */
export function onlyTypes(sink: Sink, types: readonly string[]): Sink {
  const exact = new Set(types.filter((type) => !type.endsWith(".*")));
  const nouns = types.filter((type) => type.endsWith(".*")).map((type) => type.slice(0, -1));
  const wanted = (type: string): boolean => exact.has(type) || nouns.some((noun) => type.startsWith(noun));
  return {
    name: sink.name,
    accepts: sink.accepts,
    lane: sink.lane,
    check: () => sink.check(),
    close: () => sink.close(),
    async publish(records, attempt) {
      const chosen = records.filter(({ name }) => wanted(name));
      if (chosen.length === 0) return records.map(() => ACKED);
      const results = await sink.publish(chosen, attempt);
      const resultOf = new Map(chosen.map((record, i) => [record, results[i] ?? ACKED]));
      return records.map((record) => resultOf.get(record) ?? ACKED);
    },
  };
}
