/**
 * Actors in a Durable Object: the same definitions as everywhere, on the object's own SQLite storage.
 *
 * Owns: the node inside the object, its door, its alarm. Does not own: which object a request is for (`toObject`).
 *
 * O1 One instance of an object runs at a time, and is the only node of its store. A new one takes all partitions over at
 *    once; their epochs fence off an instance that should still write.
 * O2 A timer of an actor is the object's alarm: it fires also when the object has left memory.
 * O3 An answer leaves the object after what it says is durable: the turn is committed, and the object's output gate holds the
 *    answer back until the storage has confirmed it.
 */
import { type AnyActorType, createTroupe, memoryTopics, type Sink, type Troupe } from "#runtime";
import { type ActorHandler, actorHandler, type DoorOptions, type Exposure, workerFetch } from "../door/mod.ts";
import type { ObjectStorage } from "./database.ts";
import { ObjectStore } from "./store.ts";

/** What {@link actorObject} is given: what its door shows, and where events go. */
export interface ActorObjectOptions extends DoorOptions {
  /** Actors that the door does not show. Default: none. */
  readonly hidden?: readonly AnyActorType[];
  /** Where events go, as `httpSink`. Default: nowhere; they are kept for a day. */
  readonly sinks?: readonly Sink[];
}

/** The part of an object's context that is used. */
export interface ObjectContext {
  readonly storage: ObjectStorage;
  blockConcurrencyWhile<T>(work: () => Promise<T>): Promise<T>;
}

/** An object as its host calls it. */
export interface ActorObject {
  fetch(request: Request): Promise<Response>;
  alarm(): Promise<void>;
}

/** The place of objects of a class, as a worker's environment has it. */
export interface ObjectNamespace {
  idFromName(name: string): unknown;
  get(id: never): { fetch(request: Request): Promise<Response> };
}

/** Nobody else can take the partitions of an object, so that its lease need not be renewed often. */
const LEASE_MS = 86_400_000;
/** An alarm waits so long for its timers' turns. A turn that takes longer goes on without it. */
const ALARM_MS = 20_000;
const LOOK_MS = 10;

interface Started {
  readonly troupe: Troupe;
  readonly door: ActorHandler;
}

/**
 * A class of Durable Objects that host actors. Export it under the name the namespace is bound to, with SQLite storage.
 *
 * An object hosts as many actors of the listed types as are called in it. Sends, timers, sockets and topics reach the actors of
 * the same object.
 *
 * @param options made once for each object, from its environment.
 *
 * @example
 * ```ts
 * export class Actors extends actorObject(() => ({ actors: [Counter], authorize: () => true })) {}
 * const worker = {
 *   fetch: (request: Request, env: { readonly ACTORS: ObjectNamespace }) => toObject(request, env.ACTORS),
 * };
 * ```
 */
export function actorObject<Env>(
  options: (env: Env) => ActorObjectOptions,
): new (context: ObjectContext, env: Env) => ActorObject {
  return class implements ActorObject {
    readonly #store: ObjectStore;
    readonly #started: Promise<Started>;

    constructor(context: ObjectContext, env: Env) {
      this.#store = new ObjectStore(context.storage);
      // Nothing comes in before the node runs.
      this.#started = context.blockConcurrencyWhile(() => start(this.#store, options(env)));
    }

    async fetch(request: Request): Promise<Response> {
      const { door } = await this.#started;
      return workerFetch(door, request);
    }

    /** ActorObject.O2 */
    async alarm(): Promise<void> {
      await this.#started;
      const end = Date.now() + ALARM_MS;
      const waits = (): boolean => (this.#store.nextDue() ?? Number.POSITIVE_INFINITY) <= Date.now();
      while (waits() && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      await this.#store.rang();
    }
  };
}

/**
 * Sends a request to an object, by its name.
 *
 * @param name which object. Default `"main"`: one for all. By tenant, say, each has a store and a thread of its own.
 *
 * @example
 * ```ts
 * const worker = {
 *   fetch: (request: Request, env: { readonly ACTORS: ObjectNamespace }) =>
 *     toObject(request, env.ACTORS, request.headers.get("x-tenant") ?? "main"),
 * };
 * ```
 */
export function toObject(request: Request, namespace: ObjectNamespace, name = "main"): Promise<Response> {
  return namespace.get(namespace.idFromName(name) as never).fetch(request);
}

async function start(store: ObjectStore, options: ActorObjectOptions): Promise<Started> {
  const { actors, workers = [], hidden = [], sinks = [], log } = options;
  await store.open();
  store.takeOver(); // ActorObject.O1
  const troupe = await createTroupe({
    actors: [...actors.map(typeOf), ...hidden],
    workers,
    stores: { default: store },
    topics: memoryTopics(),
    sinks: [...sinks],
    leaseMs: LEASE_MS,
    ...(log !== undefined && { log }),
  });
  return { troupe, door: actorHandler(troupe, options) };
}

function typeOf(listed: AnyActorType | Exposure): AnyActorType {
  return "actor" in listed ? listed.actor : listed;
}
