import type { JournalRecord, OutboxRecord } from "../ports/store.ts";

/**
 * The CloudEvents 1.0 envelope of an event record, structured JSON, as every broker gets it:
 * `{specversion, id, source, type, subject, time, datacontenttype, traceparent?, partition, sequence, data}`.
 * The data goes in as the text that was committed, so that all brokers carry the same bytes.
 *
 * @example
 * ```ts
 * const sink: Pick<Sink, "publish"> = {
 *   publish: async (records) =>
 *     records.map((record) => {
 *       console.log(toCloudEvent(record)); // {"specversion":"1.0","id":"evt_…","source":"/order/ord_42",…
 *       return { kind: "acked" };
 *     }),
 * };
 * ```
 */
export function toCloudEvent(record: OutboxRecord): string {
  const source = JSON.stringify(`/${record.actor.type}/${record.actor.key}`);
  const trace = record.traceparent === undefined ? "" : `,"traceparent":${JSON.stringify(record.traceparent)}`;
  return (
    `{"specversion":"1.0","id":"${record.id}","source":${source},"type":${JSON.stringify(record.name)},` +
    `"subject":${JSON.stringify(record.actor.key)},"time":"${new Date(record.at).toISOString()}",` +
    `"datacontenttype":"application/json"${trace},"partition":${record.partition},"sequence":${record.seq},` +
    `"data":${record.body}}`
  );
}

/** A journaled event as the outbox record it was published as. */
export function eventOfJournal({ type, key, position, data, ...row }: JournalRecord): OutboxRecord {
  const { partition, id, name, at, traceparent } = row;
  return {
    partition,
    seq: position,
    kind: "event",
    id,
    name,
    actor: { type, key },
    target: key,
    body: data,
    at,
    traceparent,
  };
}

/**
 * The noun of an event type: what stands before the first dot.
 *
 * @example
 * ```ts
 * eventNoun("order.placed.v1"); // "order"
 * ```
 */
export function eventNoun(type: string): string {
  const dot = type.indexOf(".");
  return dot < 0 ? type : type.slice(0, dot);
}
