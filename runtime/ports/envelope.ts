/**
 * How a message came: a call waits for its reply; timers and sends are tried again when their turn fails; a replay was a
 * timer or a send before it became a dead letter; a control message is the runtime's own, see `control-messages.ts`.
 */
export type Origin =
  | { readonly kind: "call" }
  | { readonly kind: "send" }
  /** `message` and `input` are the timer's, which differ from the envelope's where a tick is skipped. */
  | ({ readonly kind: "timer" } & FiredTimer)
  | { readonly kind: "replay"; readonly dueAt: number | undefined }
  | { readonly kind: "control" }
  /** A long poll for a state other than the one seen; no message of the actor. */
  | { readonly kind: "watch"; readonly seen: Seen | undefined }
  /** Takes back the call that carries this `ticket`. */
  | { readonly kind: "cancel"; readonly ticket: string };

/** Tells a state from another one: the version starts again when an actor was destroyed, so the text counts too. */
export interface Seen {
  readonly version: number;
  readonly hash: string;
}

/** The timer that brought a message, as it was set. */
export interface FiredTimer {
  readonly name: string;
  readonly dueAt: number;
  readonly message: string;
  /** JSON. */
  readonly input: string | undefined;
  /** JSON; `undefined` for a timer that fires once. */
  readonly schedule: string | undefined;
}

/** One message on its way to an actor. Plain data: it crosses nodes as JSON. */
export interface Envelope {
  readonly type: string;
  readonly key: string;
  readonly message: string;
  readonly input: unknown;
  /** The once-only id, or `undefined` where a repeat may act again. */
  readonly id: string | undefined;
  readonly origin: Origin;
  /** Which try, from 1. */
  readonly attempt: number;
  /** The caller's, the same in each try and on each node: a turn may tell by it whose call it answered. */
  readonly traceparent: string | undefined;
  /** The span of the way from another node, in that caller's trace: the turn's stands under it. */
  readonly callSpan?: string;
  /** Addresses whose turns wait for this one, outermost first: how a call cycle is seen. */
  readonly callers: readonly string[];
  /** Milliseconds the caller waits. */
  readonly timeoutMs: number;
  /** Tells the message from any other where it has no `id`: what the ids of its turn's asks are made of. Made when first needed. */
  token?: string | undefined;
  /** When a message that comes again by itself, or the one whose turn asks with it, was made: it may have been run before. */
  readonly since?: number | undefined;
  /** Names the call to the node that serves it, where its caller may take it back. */
  readonly ticket?: string;
}
