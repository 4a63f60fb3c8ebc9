/** How a message came: a call waits for its reply; timers and sends are tried again when their turn fails. */
export type Origin =
  | { readonly kind: "call" }
  | { readonly kind: "send" }
  | { readonly kind: "timer"; readonly name: string; readonly dueAt: number }
  /** A long poll for a state other than the one seen; no message of the actor. */
  | { readonly kind: "watch"; readonly seen: Seen | undefined }
  /** Takes back the call that carries this `ticket`. */
  | { readonly kind: "cancel"; readonly ticket: string };

/** Tells a state from another one: the version starts again when an actor was destroyed, so the text counts too. */
export interface Seen {
  readonly version: number;
  readonly hash: string;
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
  readonly traceparent: string | undefined;
  /** Addresses whose turns wait for this one, outermost first: how a call cycle is seen. */
  readonly callers: readonly string[];
  /** Milliseconds the caller waits. */
  readonly timeoutMs: number;
  /** Names the call to the node that serves it, where its caller may take it back. */
  readonly ticket?: string;
}
