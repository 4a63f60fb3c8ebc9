import type { InferInput, InferOutput } from "valibot";
import type { AnySockets, Emits, Schema } from "./any-actor.ts";
import type { TurnContext } from "./context.ts";

/** One socket of an actor, as the turn sees it that the socket brought. */
export interface Socket<State, Out> {
  /** Another one each time somebody connects. */
  readonly id: string;
  /** Who is connected, as the door's `authorize` named the caller; empty where it named none. */
  readonly caller: string;
  /** Lasts as long as the socket, also while the actor sleeps. Kept with the commit of this turn. */
  state: State;
  /** Sends to this socket after the commit, in order. */
  send(data: Out): void;
  /** Closes it after the commit, behind what was sent. */
  close(): void;
}

/** What is said over the sockets of a type, as schemas. */
export interface SocketSchemas<In, Out, With, State> {
  /** What a client sends. Default: any JSON, as `unknown`. */
  readonly in?: In;
  /** What the actor sends. Default: any JSON. */
  readonly out?: Out;
  /** What a client gives when it connects. Default: any JSON, or nothing. */
  readonly with?: With;
  /** What is kept of a socket. Default: anything. */
  readonly state?: State;
}

type OutputOf<S> = S extends Schema ? InferOutput<S> : unknown;
type InputOf<S> = S extends Schema ? InferInput<S> : unknown;

/** What an actor does about its sockets. Each is a turn: it may be refused (`c.require`), and then leaves no trace. */
export interface SocketHandlers<Context, In, Out, With, State> {
  /** The state of a socket that was just opened. Default: `undefined`. */
  initial?(): State;
  /** Somebody connects. Refused: the connection is not made. */
  onConnect?(c: Context, socket: Socket<State, Out>, data: With): void | Promise<void>;
  /** A message came. Those of one socket come one after another, in order. */
  onMessage(c: Context, socket: Socket<State, Out>, data: In): void | Promise<void>;
  /**
   * A socket is closed, whoever closed it. Once for each that was connected; where its process died, within 15 minutes. What
   * it sends reaches the others.
   */
  onClose?(c: Context, socket: Socket<State, Out>): void | Promise<void>;
}

/** The sockets of an actor type. Made by the function that `sockets` of `actor()` is given. */
export interface SocketsDefinition<In = unknown, Out = unknown, With = unknown> extends AnySockets {
  /** Only types: what is sent each way. */
  readonly types?: { readonly in: In; readonly out: Out; readonly with: With };
}

/** Declares the sockets of a type, with its state and events already known. */
export type DeclareSockets<State, Events extends Emits> = <
  In extends Schema | undefined = undefined,
  Out extends Schema | undefined = undefined,
  With extends Schema | undefined = undefined,
  Own extends Schema | undefined = undefined,
>(
  schemas: SocketSchemas<In, Out, With, Own>,
  handlers: SocketHandlers<TurnContext<State, Events>, OutputOf<In>, InputOf<Out>, OutputOf<With>, OutputOf<Own>>,
) => SocketsDefinition<InputOf<In>, OutputOf<Out>, InputOf<With>>;

/** Puts the two halves of a declaration together. */
export function declareSockets(schemas: object, handlers: object): AnySockets {
  return { ...schemas, ...handlers } as AnySockets;
}
