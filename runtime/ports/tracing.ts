/**
 * The tracing port: where a node says what it does, and in which trace. Implemented by `infra/otel`. Without one nothing is
 * measured; the `traceparent` of a message is handed on all the same.
 *
 * Whether a trace is recorded is decided once, where it begins, and stands in its `traceparent`: what belongs to one that is
 * not is never told here, so that it costs a look at one character.
 */
export interface Tracing {
  /**
   * The `traceparent` of work that nobody has said the trace of: that of the work under way in this async context, else of a
   * trace that begins here, for which it is decided now whether it is recorded.
   */
  current(): string;
  /** As `current`, of a trace that begins here whatever is under way: for what nobody waits for, as a tick. */
  root(): string;
  /** The `traceparent` of a request from outside, well formed, with the flag that says whether it is recorded here. */
  join(traceparent: string): string;
  /** Begins a span. Only for a `parent` that {@link isRecorded}. Never throws. */
  begin(start: SpanStart): Span;
}

/** Numbers, texts and flags by their name in OpenTelemetry's semantic conventions, as in `messaging.message.id`. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that begins. */
export interface SpanStart {
  /** Of few different values: `order/place`, never an id. */
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  /** The `traceparent` of what it is part of. */
  readonly parent: string;
  readonly attributes: SpanAttributes;
  /** The `traceparent` of others it has to do with, as those in the same batch. */
  readonly links?: readonly string[];
  /** Milliseconds since the epoch. @default now */
  readonly startedAt?: number;
}

/** A piece of work under way. */
export interface Span {
  /** For what is part of it. */
  readonly traceparent: string;
  set(attributes: SpanAttributes): void;
  /** Gives it another name, where that is found out on the way. */
  rename(name: string): void;
  /** It is over; `failure` says why it failed. Only the first call counts. */
  end(failure?: unknown): void;
}

/** Where the last digit of the flags stands in `00-<32 digits>-<16 digits>-01`. */
const FLAGS_AT = 54;
const NINE = 57;

/**
 * Whether a trace is recorded: by the flag in its `traceparent` (W3C Trace Context).
 *
 * @example
 * ```ts
 * isRecorded("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"); // true
 * ```
 */
export function isRecorded(traceparent: string | undefined): traceparent is string {
  if (traceparent === undefined) return false;
  const digit = traceparent.charCodeAt(FLAGS_AT);
  // Digits and letters of hexadecimal are even and odd the other way round.
  return (digit & 1) === (digit > NINE ? 0 : 1);
}
