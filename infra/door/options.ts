import type { AnyActorType, AnyWorkerType, Duration, Log, Troupe } from "#runtime";
import type { Exposure } from "./exposure.ts";

/** What somebody asks a door for. */
export interface DoorCall {
  /** A command, a query, the work of a stateless worker, to watch an actor, or to connect to it. */
  readonly kind: "command" | "query" | "work" | "watch" | "socket";
  readonly type: string;
  /** `"-"` for a stateless worker. */
  readonly key: string;
  /** The name of the message; `watch` for a stream, `socket` for a socket of the actor. */
  readonly message: string;
  /** The JSON that was sent, not yet checked; `undefined` where there was none. */
  readonly input: unknown;
}

/**
 * Who may: `true` anybody as one and the same caller; `{ caller }` this one, whose ids are kept apart from those of others;
 * `"unauthenticated"` nobody knows who asks (401); `false` not this one (403).
 */
export type Verdict = boolean | "unauthenticated" | { readonly caller: string };

/** What `actorHandler` is given. */
export interface DoorOptions {
  /** What can be reached: an actor type with all of its messages and its states, or the part that `expose` names. */
  readonly actors: readonly (AnyActorType | Exposure)[];
  /**
   * Stateless workers that can be reached, with all of their messages: `POST /{type}/-/{message}`. An `Idempotency-Key` means
   * nothing to them. Default: none.
   */
  readonly workers?: readonly AnyWorkerType[];
  /**
   * Says who may. Asked before each call and each stream, with what was sent. What it throws is answered 500. Where it goes by cookies
   * it must refuse pages of other origins itself. `request` is the one that brought the call; of a socket the one that opened
   * it, with the `authorization` that its client has given since.
   */
  readonly authorize: (call: DoorCall, request: Request) => Verdict | Promise<Verdict>;
  /** The path it is mounted at, as in `/rpc`. Default: the root. */
  readonly base?: string;
  /** Bytes of a request's body, at most; of a socket's frame, characters. Default 262,144. */
  readonly maxBodyBytes?: number;
  /** How long a call may take at most, whatever the caller asks for. Default `"30s"`. */
  readonly timeout?: Duration;
  /** Open streams, all actors together; one more is answered 503. Default 10,000. */
  readonly maxStreams?: number;
  /** How long a stream lasts before its client asks again, and `authorize` is asked again. Default `"5m"`. */
  readonly streamFor?: Duration;
  /** How often a line with nothing to say shows that it lives. Default `"5s"`: below the idle limit of `Bun.serve`. */
  readonly heartbeat?: Duration;
  /** Calls of one batch, at most. Default 100; 0: none can be sent. */
  readonly maxBatch?: number;
  /** Sockets, and what one of them may do. */
  readonly sockets?: SocketLimits;
  /** Whether a refusal's `data` is shown to the caller, beside its reason. Default true. */
  readonly refusalData?: boolean;
  /** Gets a line for each failure that is our own fault (`door:failed`). Default: silent. */
  readonly log?: Log;
}

/** What the sockets of a door may do. */
export interface SocketLimits {
  /** Open sockets; one more is answered 503. Default 10,000. */
  readonly max?: number;
  /** Calls of one socket under way; one more is answered 429. Default 256. */
  readonly maxCalls?: number;
  /** Streams of one socket; one more is answered 503. Default 100. */
  readonly maxStreams?: number;
  /** Bytes that wait for a client which does not read; more closes its socket (1013). Default 1,048,576. */
  readonly maxUnreadBytes?: number;
  /** Origins whose pages may open one, beside the door's own: `https://example.com`. Default: none. */
  readonly origins?: readonly string[];
}

/** The part of a node that a door needs. */
export type DoorTroupe = Pick<Troupe, "call" | "callText" | "watch" | "topics" | "tracing">;
