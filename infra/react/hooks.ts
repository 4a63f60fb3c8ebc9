import {
  createContext,
  createElement,
  type FunctionComponent,
  type ReactNode,
  use,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import type { AnyActorType, StateOutput } from "#runtime";
import type { Client } from "../client/connect.ts";
import type { Broadcast, Named, RemoteActor, RemoteMethod, RemoteRef } from "../client/types.ts";
import { type ActorSnapshot, viewOf } from "./actor-view.ts";

/** What names an actor type in a page: what `remote` made of its type, or its definition. */
export type PageActor = RemoteActor<AnyActorType> | AnyActorType;

type ActorOf<Name> = Named<unknown, Name>;
type Input<Method> = Method extends RemoteMethod<infer In, unknown> ? In : never;

/** What calls do to the state, to be shown before the actor has answered: by the name of the message. */
export type Optimistic<A extends AnyActorType> = {
  readonly [Message in keyof A["messages"]]?: (
    state: StateOutput<A>,
    input: Input<RemoteRef<A>[Message]>,
  ) => StateOutput<A>;
};

/** What {@link useActor} gives. */
export interface UsedActor<A extends AnyActorType> extends Omit<ActorSnapshot, "state"> {
  readonly state: StateOutput<A> | undefined;
  /** A function per message, the same from one rendering to the next. Rejects as the client does. */
  readonly calls: RemoteRef<A>;
}

const Connection = createContext<Client | undefined>(undefined);

/**
 * Gives the client to all hooks below it.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 *
 * const client = connect<{ counter: typeof Counter }>("/rpc");
 * const page = createElement(ActorProvider, { client }, "…");
 * ```
 */
export const ActorProvider: FunctionComponent<{
  readonly client: Pick<Client<never>, keyof Client>;
  readonly children?: ReactNode;
}> = ({ client, children }) => createElement(Connection.Provider, { value: client as Client }, children);

/**
 * An actor in a page: its live state, and a function for each of its messages.
 *
 * `optimistic` shows what a call does before it is durable, and takes it back where the call fails. All components that use the
 * same actor share one stream. Render it anew with another key, and it shows that actor.
 *
 * @throws {Error} outside of an {@link ActorProvider}.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 *
 * const Visits = remote<typeof Counter>("counter");
 * function Page() {
 *   const { state, calls, pending } = useActor(Visits, "home", {
 *     add: (shown, { by }) => ({ count: shown.count + by }),
 *   });
 *   return createElement("button", { disabled: pending > 9, onClick: () => void calls.add({ by: 1 }) }, state?.count);
 * }
 * ```
 */
export function useActor<const Name extends PageActor>(
  actor: Name,
  key: string,
  optimistic: Optimistic<ActorOf<Name>> = {},
): UsedActor<ActorOf<Name>> {
  const client = useClient();
  const { type } = actor;
  const view = useMemo(() => viewOf(client, { type }, key), [client, type, key]);
  const snapshot = useSyncExternalStore(view.subscribe, view.snapshot, view.snapshot);
  const effects = useRef<Changes>({});
  effects.current = optimistic as unknown as Changes;
  const calls = useMemo(
    () =>
      new Proxy(
        {},
        {
          get(_, message) {
            if (typeof message !== "string" || message === "then") return undefined;
            return (input: unknown) => {
              const change = Object.hasOwn(effects.current, message) ? effects.current[message] : undefined;
              return view.call(message, input, change && ((state) => change(state, input)));
            };
          },
        },
      ),
    [view],
  );
  return { ...snapshot, calls } as unknown as UsedActor<ActorOf<Name>>;
}

/** What {@link useSuspenseActor} gives: there always is a state. */
export interface SuspendedActor<A extends AnyActorType> extends UsedActor<A> {
  readonly state: StateOutput<A>;
}

/**
 * As {@link useActor}, for components inside a `Suspense`: they are shown with their first state, and until then the boundary's
 * `fallback` is. Where there can be no state (`forbidden`, `actor.not_found`) it throws the error to the next error boundary.
 *
 * @throws {Error} outside of an {@link ActorProvider}. @throws {CallError} the stream ended for good before its first state.
 *
 * @example
 * ```ts
 * import { createElement, Suspense } from "react";
 *
 * const Visits = remote<typeof Counter>("counter");
 * function Count() {
 *   const { state } = useSuspenseActor(Visits, "home");
 *   return createElement("b", {}, state.count);
 * }
 * const page = createElement(Suspense, { fallback: "…" }, createElement(Count));
 * ```
 */
export function useSuspenseActor<const Name extends PageActor>(
  actor: Name,
  key: string,
  optimistic: Optimistic<ActorOf<Name>> = {},
): SuspendedActor<ActorOf<Name>> {
  const view = viewOf(useClient(), { type: actor.type }, key);
  if (view.snapshot().status === "connecting") use(view.ready());
  const used = useActor(actor, key, optimistic);
  if (used.status === "failed" && used.state === undefined) throw used.error ?? new Error("The stream ended");
  return used as SuspendedActor<ActorOf<Name>>;
}

type Changes = Readonly<Record<string, (state: unknown, input: unknown) => unknown>>;

/**
 * Calls `take` with each broadcast of an actor from now on, for as long as the component is shown.
 *
 * @throws {Error} outside of an {@link ActorProvider}.
 *
 * @example
 * ```ts
 * const Visits = remote<typeof Counter>("counter");
 * function Ticker() {
 *   useBroadcasts(Visits, "home", (broadcast) => console.log(broadcast));
 *   return null;
 * }
 * ```
 */
export function useBroadcasts(actor: PageActor, key: string, take: (broadcast: Broadcast) => void): void {
  const client = useClient();
  const { type } = actor;
  const latest = useRef(take);
  latest.current = take;
  useEffect(() => {
    const stop = new AbortController();
    void (async () => {
      for await (const broadcast of client.follow(type, key, { signal: stop.signal })) latest.current(broadcast);
    })().catch(() => undefined); // what the door refuses for good shows nothing
    return () => stop.abort();
  }, [client, type, key]);
}

/** A message of a topic. */
export type TopicBroadcast = Extract<Broadcast, { readonly kind: "message" }>;

/** What {@link useTopic} gives. */
export interface UsedTopic {
  /** The last messages, the newest last. */
  readonly messages: readonly TopicBroadcast[];
  /** How often messages may have been missed: what is shown may have to be read anew. */
  readonly gaps: number;
}

/**
 * The last broadcasts of one topic of an actor, from the moment the component is shown on.
 *
 * @param topic one of those that the door lists for the actor.
 * @param keep how many, the newest. Default 1.
 * @throws {Error} outside of an {@link ActorProvider}.
 *
 * @example
 * ```ts
 * import { createElement } from "react";
 *
 * const Visits = remote<typeof Counter>("counter");
 * function Ticker() {
 *   const { messages } = useTopic(Visits, "home", "counters/all", 10);
 *   return createElement("ol", {}, messages.map(({ type }, at) => createElement("li", { key: at }, type)));
 * }
 * ```
 */
export function useTopic(actor: PageActor, key: string, topic: string, keep = 1): UsedTopic {
  const [shown, show] = useState<UsedTopic & { readonly of: string }>({ of: "", messages: [], gaps: 0 });
  const of = `${actor.type}/${key}/${topic}`;
  useBroadcasts(actor, key, (broadcast) => {
    show((before) => {
      const { messages, gaps } = before.of === of ? before : { messages: [], gaps: 0 };
      if (broadcast.kind === "gap") return broadcast.topics.includes(topic) ? { of, messages, gaps: gaps + 1 } : before;
      return broadcast.topic === topic ? { of, messages: [...messages, broadcast].slice(-keep), gaps } : before;
    });
  });
  return shown.of === of ? shown : NOTHING_YET;
}

const NOTHING_YET: UsedTopic = { messages: [], gaps: 0 };

function useClient(): Client {
  const client = useContext(Connection);
  if (client === undefined) throw new Error("Cannot use an actor outside of an ActorProvider");
  return client;
}
