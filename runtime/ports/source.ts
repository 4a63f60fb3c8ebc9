/**
 * The source port: a broker that events come from. Implemented by the adapters in `infra/`;
 * `runtime/testing/source-conformance.ts` is run by each.
 *
 * A source guarantees: at least once; messages of a key are handed over in the order the broker has them, repeats aside;
 * a message is acknowledged to the broker only after its `handle` resolved with `taken`; what was not acknowledged comes
 * again, to this consumer or to the next one of the same name, before what is newer of its key. Whatever stands there, by
 * whomever it was written, is handed over or skipped, and what comes after it is read.
 */
export interface Source {
  /** Short and stable, as in `nats`. */
  readonly name: string;
  /**
   * Begins to consume, in the background: connects by itself, and again whenever the connection breaks. Never throws for
   * a broker that is away. The runtime starts one consumer of a name at a time, in whichever node has that duty.
   */
  start(subscription: SourceSubscription): SourceConsumer;
  /** Resolves when the broker answers. */
  check(): Promise<void>;
}

/** What a consumer is told. */
export interface SourceSubscription {
  /** What the broker keeps its place under, for ever: the name of the actor type. Letters, digits and hyphens. */
  readonly consumer: string;
  /** The event types it wants, as in `order.placed.v1`. It may be given others, and takes them without effect. */
  readonly types: readonly string[];
  /** Messages that were handed over and not yet acknowledged, at most. */
  readonly maxInFlight: number;
  /** Takes a message. Called in the broker's order, without waiting for the one before. Never rejects. */
  handle(message: SourceMessage): Promise<Handled>;
  /**
   * Tells of a message that carries nothing to be handled, as a tombstone, and was acknowledged without. `why`: in a few
   * words that are always the same.
   */
  skipped?(why: string): void;
}

/** A message as the broker has it. */
export interface SourceMessage {
  /** A CloudEvent, structured JSON. Not checked. */
  readonly body: string;
}

/** `taken`: acknowledge it, it needs nothing more. `later`: do not; it is to come again. */
export type Handled = "taken" | "later";

/** A running consumer. */
export interface SourceConsumer {
  /**
   * Takes no further messages, waits at most `withinMs` for those under way and their acknowledgements, and lets go of the
   * broker: what is left comes again elsewhere. With 0 it is what a crash would leave.
   */
  stop(withinMs: number): Promise<void>;
  /**
   * Messages at the broker that were not acknowledged yet.
   * @throws when the broker is away, or has not been reached yet.
   */
  lag(): Promise<number>;
}
