import type { CallError } from "./errors.ts";

/** An actor as it is addressed. */
export interface RemoteAddress {
  readonly type: string;
  readonly key: string;
}

/** One try of a call. */
export interface Outgoing {
  readonly to: RemoteAddress;
  readonly message: string;
  readonly input: unknown;
  /** The same for every try. */
  readonly id: string;
  /** Milliseconds until the caller waits no longer. */
  readonly leftMs: number;
}

/** An event of a stream. */
export interface LineEvent {
  /** Where to go on from; `undefined`: as before. */
  readonly id: string | undefined;
  readonly event: string;
  readonly data: unknown;
}

/** How a client reaches its door. What it does is tried once: who asks tries again. */
export interface Line {
  /** Rejects with {@link TryFailed}. */
  call(outgoing: Outgoing, signal: AbortSignal): Promise<unknown>;
  /** The events of one actor behind `after`, until the line ends or breaks. Throws {@link TryFailed}. */
  open(to: RemoteAddress, after: string, signal: AbortSignal): AsyncGenerator<LineEvent, void>;
  /** Connects to an actor that has sockets; where the line cannot, it is `undefined`. Rejects with {@link TryFailed}. */
  readonly connect?: (to: RemoteAddress, data: unknown, signal: AbortSignal | undefined) => Promise<LineSocket>;
  close(): void;
}

/** A socket of an actor. */
export interface LineSocket {
  /** Rejects with {@link TryFailed}. */
  send(data: unknown): Promise<void>;
  /** What the actor sends. Throws {@link TryFailed}. */
  messages(): AsyncGenerator<unknown, void>;
  close(): void;
}

/** A try that did not succeed. */
export class TryFailed extends Error {
  readonly error: CallError;
  /** Milliseconds the door asked to wait. */
  readonly askedMs: number;

  constructor(error: CallError, askedMs = 0) {
    super(error.message, { cause: error });
    this.error = error;
    this.askedMs = askedMs;
  }
}

/** The path of an actor below the door. */
export function pathOf({ type, key }: RemoteAddress): string {
  return `/${type}/${encodeURIComponent(key)}`;
}
