/**
 * The spans of one node: what it does of a message, by the names of OpenTelemetry's semantic conventions.
 *
 * Owns: names and attributes. Does not own: ids, times and where spans go (`Tracing`).
 *
 * S1 What is not recorded makes nothing: a look at the flag of its `traceparent`, and no object.
 * S2 A batch that holds work of several traces has a span in each of them. The first one links to the others, and each of
 *    these to the first: as many links as there are traces, however large the batch is.
 * S3 No span carries an input, a state or an event's data.
 */
import type { Envelope } from "../ports/envelope.ts";
import type { Sink } from "../ports/sink.ts";
import type { OutboxRecord } from "../ports/store.ts";
import { isRecorded, type Span, type SpanAttributes, type SpanStart, type Tracing } from "../ports/tracing.ts";

/** Links a span has, at most. */
const MAX_LINKS = 128;

/** What the span of a commit is told of one of its turns. */
interface TracedTurn {
  readonly traceparent: string | undefined;
}

/** The spans of one batch, which end together. */
export class BatchSpans {
  readonly #spans: readonly Span[];

  constructor(spans: readonly Span[]) {
    this.#spans = spans;
  }

  end(failure?: unknown): void {
    for (const span of this.#spans) span.end(failure);
  }
}

export class NodeSpans {
  readonly tracing: Tracing;

  constructor(tracing: Tracing) {
    this.tracing = tracing;
  }

  /** A message has its turn, or a query is answered. */
  turn(envelope: Envelope): Span | undefined {
    const { type, key, message, traceparent, callSpan, attempt, origin } = envelope;
    if (!isRecorded(traceparent)) return undefined; // NodeSpans.S1
    const attributes: Record<string, string | number> = {
      ...methodOf(type, message),
      "troupe.actor.type": type,
      "troupe.actor.key": key,
      "troupe.message.origin": origin.kind,
    };
    if (attempt > 1) attributes["troupe.message.attempt"] = attempt;
    return this.tracing.begin({
      name: `${type}/${message}`,
      kind: "internal",
      parent: callSpan ?? traceparent,
      attributes,
    });
  }

  /** A call goes to the node that owns its actor. */
  call({ type, message, traceparent }: Envelope, owner: string): Span | undefined {
    if (!isRecorded(traceparent)) return undefined;
    const attributes = { ...methodOf(type, message), "troupe.node": owner };
    return this.tracing.begin({ name: `${type}/${message}`, kind: "client", parent: traceparent, attributes });
  }

  /** Turns are written in one transaction. */
  commit(turns: readonly TracedTurn[], store: string): BatchSpans | undefined {
    const parents = recorded(turns);
    if (parents === undefined) return undefined;
    const attributes = {
      "db.operation.name": "COMMIT",
      "db.namespace": store,
      "db.operation.batch.size": turns.length,
    };
    return this.#batch(parents, () => ({ name: `COMMIT ${store}`, kind: "client", attributes }));
  }

  /** Records are handed to a sink; at the first try, how long they waited for that is a span of its own. */
  publish(sink: Sink, records: readonly OutboxRecord[], attempt: number, now: number): BatchSpans | undefined {
    const parents = recorded(records);
    if (parents === undefined) return undefined;
    const traced = records.filter(({ traceparent }) => isRecorded(traceparent));
    if (attempt === 1) {
      for (const { at, name, traceparent } of traced) {
        const attributes = { "messaging.system.name": sink.name, "messaging.destination.template": name };
        const startedAt = Math.min(at, now);
        this.tracing
          .begin({
            name: `outbox ${sink.name}`,
            kind: "internal",
            parent: traceparent as string,
            attributes,
            startedAt,
          })
          .end();
      }
    }
    const shared: Record<string, string | number> = { "messaging.system.name": sink.name };
    if (records.length > 1) shared["messaging.batch.message_count"] = records.length;
    if (attempt > 1) shared["troupe.message.attempt"] = attempt;
    return this.#batch(parents, (i) => startOfPublish(sink, traced[i] as OutboxRecord, shared));
  }

  /** An event of a broker is made a message of an actor. */
  process(source: string, actor: string, type: string, record: OutboxRecord): Span | undefined {
    if (!isRecorded(record.traceparent)) return undefined;
    const attributes = {
      "messaging.system.name": source,
      "messaging.operation.type": "process",
      "messaging.operation.name": "process",
      "messaging.destination.template": type,
      "messaging.consumer.group.name": actor,
      "messaging.message.id": record.id,
    };
    return this.tracing.begin({ name: `process ${type}`, kind: "consumer", parent: record.traceparent, attributes });
  }

  /** NodeSpans.S2 */
  #batch(parents: readonly string[], startOf: (i: number) => Omit<SpanStart, "parent" | "links">): BatchSpans {
    const [first = "", ...others] = parents;
    const links = others.slice(0, MAX_LINKS);
    const main = this.tracing.begin({ ...startOf(0), parent: first, ...(links.length > 0 && { links }) });
    const rest = others.map((parent, i) =>
      this.tracing.begin({ ...startOf(i + 1), parent, links: [main.traceparent] }),
    );
    return new BatchSpans([main, ...rest]);
  }
}

function startOfPublish(sink: Sink, record: OutboxRecord, shared: SpanAttributes): Omit<SpanStart, "parent" | "links"> {
  const { kind, id, name, target } = record;
  if (kind === "workflow") {
    const attributes = { "rpc.system.name": sink.name, "rpc.method": name, "troupe.workflow.id": target };
    return { name: `${name} workflow`, kind: "client", attributes };
  }
  const attributes = {
    ...shared,
    "messaging.operation.type": "send",
    "messaging.operation.name": "publish",
    "messaging.destination.template": name,
    "messaging.message.id": id,
  };
  return { name: `publish ${name}`, kind: "producer", attributes };
}

function methodOf(type: string, message: string): { "rpc.system.name": string; "rpc.method": string } {
  return { "rpc.system.name": "troupe", "rpc.method": `${type}/${message}` };
}

/** The `traceparent` of each that is recorded; `undefined` where there is none. */
function recorded(all: readonly TracedTurn[]): readonly string[] | undefined {
  let found: string[] | undefined;
  for (const { traceparent } of all) if (isRecorded(traceparent)) (found ??= []).push(traceparent);
  return found;
}
