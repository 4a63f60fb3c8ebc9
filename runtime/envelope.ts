/** How a message came: a call waits for its reply; timers and sends are tried again when their turn fails. */
export type Origin =
  | { readonly kind: "call" }
  | { readonly kind: "send" }
  | { readonly kind: "timer"; readonly name: string; readonly dueAt: number };

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
}
