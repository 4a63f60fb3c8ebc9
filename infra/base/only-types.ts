import type { Sink } from "#runtime";

/**
 * A sink that gets the events of some types only; the others pass it by.
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
    takes: (record) => wanted(record.name) && sink.takes?.(record) !== false,
    publish: (records, attempt) => sink.publish(records, attempt),
  };
}
