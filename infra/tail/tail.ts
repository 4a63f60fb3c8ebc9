/**
 * A look at what lies at a broker now, as it comes: for people, not for programs.
 *
 * T1 A look costs what is shown, and not what passes: the newest messages are read, and those between two looks are counted
 *    where the broker can tell, never taken one by one.
 * T2 A look changes nothing: no consumer group is joined, no place is moved, nothing is acknowledged for others.
 * T3 A connection is opened by the first look, and thrown away at the first failure.
 */
import type { Broker } from "../base/brokers.ts";

/** A message as it lies at a broker. */
export interface TailedMessage {
  /** The stream, topic and partition, or exchange. */
  readonly place: string;
  /** Where it stands there: a sequence, an offset, an entry's id. */
  readonly position: string;
  /** What its order is kept by; `null` where the broker does not say. */
  readonly key: string | null;
  /** RFC 3339; `null` where the broker does not say. */
  readonly at: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** Its text, at most {@link BODY_LETTERS} of it. */
  readonly body: string;
  readonly sizeBytes: number;
}

/** The newest messages since the last look. */
export interface TailPage {
  /** The oldest first. */
  readonly items: readonly TailedMessage[];
  /** Where the next look goes on. */
  readonly after: string;
  /** How many came since the last look and are not among `items`; `null`: the broker does not say. */
  readonly skipped: number | null;
}

/** A stream, topic or queue. */
export interface TailPlace {
  readonly name: string;
  readonly kind: "stream" | "topic" | "queue";
  /** Messages that it keeps. */
  readonly messages: number;
  /** @default 1 */
  readonly partitions?: number;
}

/** Who reads a place, and how far behind. */
export interface TailGroup {
  readonly name: string;
  readonly place: string;
  /** Messages to come. */
  readonly lag: number;
  /** Messages that it was given and has not acknowledged; `null` where the broker does not say. */
  readonly inFlight: number | null;
}

/** What there is at a broker. */
export interface BrokerView {
  readonly places: readonly TailPlace[];
  readonly groups: readonly TailGroup[];
}

/** One broker, looked at. */
export interface BrokerTail {
  readonly broker: Broker;
  /** @throws when the broker is away. */
  view(): Promise<BrokerView>;
  /**
   * The newest messages behind `after`, or the newest there are; `limit` at most.
   * @throws {TypeError} an `after` that no look gave.
   * @throws when the broker is away.
   */
  read(look: { readonly after?: string | undefined; readonly limit: number }): Promise<TailPage>;
  close(): void;
}

/** Longer texts are cut. */
export const BODY_LETTERS = 65_536;

/** A mark of places, as `after` carries it. */
export function markOf(places: Readonly<Record<string, string>>): string {
  return Buffer.from(JSON.stringify(places)).toString("base64url");
}

/** What {@link markOf} was given; empty for `undefined`. @throws {TypeError} it is none of ours. */
export function readMark(mark: string | undefined): Readonly<Record<string, string>> {
  if (mark === undefined) return {};
  try {
    const read: unknown = JSON.parse(Buffer.from(mark, "base64url").toString());
    if (
      typeof read === "object" &&
      read !== null &&
      Object.values(read).every((place) => /^[0-9-]+$/.test(String(place)))
    )
      return read as Record<string, string>;
  } catch {
    // said below
  }
  throw new TypeError("Cannot go on behind this mark: no look gave it");
}
