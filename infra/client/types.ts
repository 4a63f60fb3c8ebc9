import type { AnyActorType, AnyWorkerType, SocketsDefinition, StateOutput } from "#runtime";

/** An actor type or a stateless worker. */
export type AnyCalled = AnyActorType | AnyWorkerType;

/** The actors and stateless workers of an application, by type: what {@link connect} is told, as types alone. */
export type App = Readonly<Record<string, AnyCalled>>;

declare const ACTOR: unique symbol;
declare const REASON: unique symbol;

/** Stands for an actor type where its definition must not be loaded. Made by {@link remote}. */
export interface RemoteActor<A extends AnyCalled> {
  readonly type: string;
  readonly [ACTOR]: A;
}

/** How an actor type is named: by its name, by what {@link remote} made, or by its definition. */
export type ActorName<Known> = (keyof Known & string) | RemoteActor<AnyCalled> | AnyCalled;

/** What a name stands for, an actor type or a stateless worker; `never` where the application has nothing of that name. */
export type Called<Known, Name> = Name extends string
  ? Name extends keyof Known
    ? Extract<Known[Name], AnyCalled>
    : never
  : Name extends RemoteActor<infer A>
    ? A
    : Name extends AnyCalled
      ? Name
      : never;

/** The actor type that a name stands for; `never` where it stands for none. */
export type Named<Known, Name> = Extract<Called<Known, Name>, AnyActorType>;

/** The key that is given beside a name: none for a stateless worker. */
export type KeyOf<Type> = Type extends AnyActorType ? [key: string] : [];

/** Options of one call. */
export interface RemoteOptions {
  /** Makes the call act once, also over several calls of this function. Default: a new id, kept over its retries. */
  readonly id?: string;
  /** How long it may take, its retries included. Default: the connection's. */
  readonly timeoutMs?: number;
  /** Stops the waiting. */
  readonly signal?: AbortSignal;
}

/** A message of a remote actor. */
export interface RemoteMethod<In, Out, Reason extends string = string> {
  (
    ...args: [In] extends [void] ? [input?: undefined, options?: RemoteOptions] : [input: In, options?: RemoteOptions]
  ): Promise<Awaited<Out>>;
  readonly [REASON]?: Reason;
}

type MethodOf<D> = D extends { handle(c: never, input: infer In): infer Out }
  ? RemoteMethod<In, Out, ReasonsOf<D>>
  : never;

type ReasonsOf<D> = D extends {
  readonly kind: "command" | "work";
  readonly refuses?: readonly (infer Reason)[] | undefined;
}
  ? Reason & string
  : never;

/** A typed handle on a remote actor or stateless worker: a method per message. */
export type RemoteRef<A extends AnyCalled> = {
  readonly [Name in keyof A["messages"]]: MethodOf<A["messages"][Name]>;
};

/** A state of a remote actor, as it is durable. */
export interface RemoteState<A extends AnyActorType> {
  /** The initial state where the actor does not exist. */
  readonly state: StateOutput<A>;
  /** Turns committed so far. */
  readonly version: number;
  readonly exists: boolean;
}

type SentBy<A extends AnyActorType> = A extends { readonly sockets: SocketsDefinition<infer In, infer Out, infer With> }
  ? { readonly in: In; readonly out: Out; readonly with: With }
  : never;

/** What is given when one connects to a remote actor. */
export type ConnectData<A extends AnyActorType> = SentBy<A>["with"];

/** A socket of a remote actor. What the actor sends is read by `for await`; it ends when the socket does. */
export interface RemoteSocket<A extends AnyActorType> extends AsyncIterable<SentBy<A>["out"]> {
  /**
   * Sends a message. Resolves when its turn is durable.
   * @throws {RefusedCall} the actor refused it. @throws {CallError} `unreachable`, `cancelled`: the socket broke, and it may have
   * taken effect.
   */
  send(data: SentBy<A>["in"]): Promise<void>;
  /** Closes it. */
  close(): void;
}

/** What an actor broadcasts to its topics. `gap`: messages may be missing, as the history does not reach back so far. */
export type Broadcast =
  | { readonly kind: "message"; readonly topic: string; readonly type: string; readonly data: unknown }
  | { readonly kind: "gap"; readonly topics: readonly string[] };

/**
 * Names an actor type without loading its definition: take the type alone with `import type`, so that no server code gets
 * into a bundle.
 *
 * @example
 * ```ts
 * const Visits = remote<typeof Counter>("counter");
 * const client = connect("http://localhost:3000");
 * await client.ref(Visits, "home").add({ by: 1 });
 * ```
 */
export function remote<A extends AnyCalled>(type: string): RemoteActor<A> {
  return { type } as RemoteActor<A>;
}
