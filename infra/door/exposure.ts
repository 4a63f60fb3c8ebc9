import type { AnyActorType, AnyWorkerType } from "#runtime";

/** An actor type as a door shows it. Made by {@link expose}; a bare actor type stands for all of its messages and its states. */
export interface Exposure {
  readonly actor: AnyActorType;
  /** The messages that may be called. Default: all. */
  readonly messages?: readonly string[];
  /** Whether the whole state may be watched. Default true. */
  readonly watch?: boolean;
  /** The topics of one actor whose broadcasts come along with its states. Default: none. */
  readonly topics?: (key: string) => readonly string[];
  /** Whether its sockets may be opened, where the type has any. Default true. */
  readonly sockets?: boolean;
}

/**
 * Shows a part of an actor type: the messages that are listed, and its states only where `watch` says so.
 *
 * @throws {TypeError} when the type has no such message.
 *
 * @example
 * ```ts
 * const door = actorHandler(troupe, {
 *   actors: [expose(Counter, { messages: ["value"], watch: false })],
 *   authorize: () => true,
 * });
 * ```
 */
export function expose<A extends AnyActorType>(
  actor: A,
  part: {
    readonly messages?: readonly (keyof A["messages"] & string)[];
    readonly watch?: boolean;
    readonly topics?: (key: string) => readonly string[];
    readonly sockets?: boolean;
  },
): Exposure {
  const unknown = part.messages?.find((name) => !Object.hasOwn(actor.messages, name));
  if (unknown !== undefined) throw new TypeError(`Cannot expose "${unknown}" of ${actor.type}: it has no such message`);
  return { actor, ...part };
}

/** What a door shows of one actor type. */
export interface Shown {
  readonly actor: AnyActorType;
  readonly messages: ReadonlySet<string>;
  readonly watch: boolean;
  readonly topics: ((key: string) => readonly string[]) | undefined;
  readonly sockets: boolean;
}

/**
 * What a door shows, by type. Messages that the runtime keeps for itself (`$…`) are never among it.
 * @throws {TypeError} when a type is listed twice.
 */
export function shownBy(listed: readonly (AnyActorType | Exposure)[]): ReadonlyMap<string, Shown> {
  const shown = new Map<string, Shown>();
  for (const entry of listed) {
    const { actor, messages, watch, topics, sockets }: Exposure = "actor" in entry ? entry : { actor: entry };
    if (shown.has(actor.type)) throw new TypeError(`Cannot list ${actor.type} twice`);
    shown.set(actor.type, {
      actor,
      messages: new Set((messages ?? Object.keys(actor.messages)).filter((name) => !name.startsWith("$"))),
      watch: watch ?? true,
      topics,
      sockets: actor.sockets !== undefined && sockets !== false,
    });
  }
  return shown;
}

/**
 * The stateless workers of a door, by type.
 * @throws {TypeError} when a type is listed twice.
 */
export function workersBy(
  listed: readonly AnyWorkerType[],
  shown: ReadonlyMap<string, Shown>,
): ReadonlyMap<string, AnyWorkerType> {
  const workers = new Map<string, AnyWorkerType>();
  for (const worker of listed) {
    if (shown.has(worker.type) || workers.has(worker.type)) throw new TypeError(`Cannot list ${worker.type} twice`);
    workers.set(worker.type, worker);
  }
  return workers;
}
