/**
 * Sinks for what is addressed by configuration: events that go to a topic, exchange, subject or stream which a route names.
 *
 * One sink per broker, each with a cursor of its own, so that one that is down holds up no other.
 *
 * R1 A place that fails holds up only what goes to the same place and key: each such pair is a target of its own.
 * R2 What leaves twice carries the same event id and message id.
 * R3 What will never be taken is refused, and becomes a dead letter: a name the broker does not take, an event that is too
 *    large, a place that nobody reads from.
 */
import type { Broker } from "#infra/base/brokers.ts";
import { parseExact } from "#infra/json/exact.ts";
import type { DeadLetterReason, OutboxRecord, PublishResult, Sink } from "#runtime";

/** Where an event goes. The names were checked when the route was put. */
export type Address =
  | { readonly sink: "kafka"; readonly topic: string }
  | { readonly sink: "rabbitmq"; readonly exchange: string; readonly routingKey?: string }
  | { readonly sink: "nats"; readonly subject: string }
  | { readonly sink: "redis"; readonly stream: string };

/** One event on its way to one place. */
export interface Routed<B extends Broker = Broker> {
  readonly to: Extract<Address, { readonly sink: B }>;
  /** What order is kept by. */
  readonly key: string;
  readonly id: string;
  /** What a repeat is told by: an id is unique per source alone. At most 255 characters of ASCII. */
  readonly messageId: string;
  readonly type: string;
  /** The CloudEvent, as JSON. */
  readonly event: string;
  readonly traceparent: string | undefined;
  readonly at: number;
}

/** A broker, as far as routing needs it. */
export interface RoutedBroker<B extends Broker> {
  readonly broker: B;
  /**
   * Resolves when it is durable there.
   * @throws {RefusedRouteError} it never will be. @throws {HeldRouteError} not now, and the broker is well. Other throws mean
   * that the broker is not; both are tried again.
   */
  send(routed: Routed<B>): Promise<void>;
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The place will never take this. */
export class RefusedRouteError extends Error {
  override readonly name = "RefusedRouteError";
  readonly reason: DeadLetterReason;

  /** @param reason `route`: the place is wrong. `broker`: the broker does not take this event. */
  constructor(reason: "route" | "broker", message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The place does not take it now. */
export class HeldRouteError extends Error {
  override readonly name = "HeldRouteError";
}

/** What the records of this kind hold. */
interface RoutedBody {
  readonly to: Address | null;
  readonly key: string;
  readonly event: { readonly id: string; readonly source: string; readonly type: string };
}

const ACKED: PublishResult = { kind: "acked" };
const MAX_IN_FLIGHT = 256;

export interface RoutedSinkOptions {
  /** The stores it takes records of. @default all */
  readonly stores?: readonly string[];
  /** Why nothing may be sent to a place, whatever a route says; `undefined`: it may. @default nothing is refused */
  readonly refuses?: (to: Address) => string | undefined;
}

/** The sink `routed-<broker>`, for the records of kind `routed` that are addressed to it. */
export function routedSink<B extends Broker>(
  { broker, send, check, close }: RoutedBroker<B>,
  { stores, refuses }: RoutedSinkOptions = {},
): Sink {
  async function publish(record: OutboxRecord): Promise<PublishResult> {
    const routed = readRecord(record, broker);
    if (routed === undefined) return ACKED;
    const refused = refuses?.(routed.to);
    if (refused !== undefined) return { kind: "refused", detail: `The place ${refused}`, reason: "route" };
    try {
      await send(routed);
      return ACKED;
    } catch (error) {
      if (error instanceof RefusedRouteError) return { kind: "refused", detail: error.message, reason: error.reason };
      if (error instanceof HeldRouteError) return { kind: "held" };
      throw error;
    }
  }

  return {
    name: `routed-${broker}`,
    accepts: "routed",
    ...(stores === undefined ? {} : { stores }),
    takes: (record) => isFor(broker, record),
    lane: { kind: "keyed", maxInFlight: MAX_IN_FLIGHT }, // Routed.R1
    publish: (records) => Promise.all(records.map(publish)),
    check,
    close,
  };
}

/** A sink for a broker that is not configured here: what is addressed to it becomes dead letters, to be replayed later. */
export function absentSink(broker: Broker, variable: string, options?: RoutedSinkOptions): Sink {
  const send = async (): Promise<never> => {
    throw new RefusedRouteError("route", `There is no ${broker} here: ${variable} is not set`);
  };
  const nothing = async (): Promise<void> => undefined;
  return routedSink({ broker, send, check: nothing, close: nothing }, options);
}

/** The target begins with the broker's name: what is not ours is not parsed. */
function isFor(broker: Broker, { target }: OutboxRecord): boolean {
  return target.startsWith(broker) && target[broker.length] === ":";
}

/** A record as it is to be sent; `undefined` when it is addressed to another broker. */
function readRecord<B extends Broker>(record: OutboxRecord, broker: B): Routed<B> | undefined {
  const { to, key, event } = JSON.parse(record.body) as RoutedBody;
  // An event that no route matched goes nowhere, and its target is its subject, which may look like ours.
  if (to?.sink !== broker) return undefined;
  return {
    to: to as Routed<B>["to"],
    key,
    id: event.id, // Routed.R2
    messageId: messageIdOf(event),
    type: event.type,
    event: eventIn(record.body, to, key),
    traceparent: record.traceparent,
    at: record.at,
  };
}

/** The text of the event: it is the last member of a body, which is sliced off, as what was written need not be written again. */
function eventIn(body: string, to: Address, key: string): string {
  const before = `{"to":${JSON.stringify(to)},"key":${JSON.stringify(key)},"event":`;
  if (body.startsWith(before)) return body.slice(before.length, -1);
  return JSON.stringify((parseExact(body) as RoutedBody).event);
}

/** `<source> <id>`, or a hash where that is long, or not ASCII. No two events of different sources have the same one. */
function messageIdOf({ source, id }: { readonly source: string; readonly id: string }): string {
  const plain = `${source} ${id}`;
  // A source with a space could end where another one's id begins.
  return /^[\x20-\x7e]{1,200}$/.test(plain) && !source.includes(" ")
    ? plain
    : `sha256 ${new Bun.CryptoHasher("sha256").update(JSON.stringify([source, id])).digest("hex")}`;
}

/**
 * A text as the value of a header that takes visible ASCII alone: percent-encoded where it is none, as CloudEvents has it.
 * `decodeURIComponent` gives it back.
 */
export function headerText(text: string): string {
  return /^[\x21\x23\x24\x26-\x7e]*$/.test(text) ? text : encodeURIComponent(text);
}
