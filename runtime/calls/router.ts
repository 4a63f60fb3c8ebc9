/**
 * Takes a message to its actor, wherever that is, and the reply to its caller.
 *
 * Owns: the caller's side of a call: its deadline, and trying again what certainly did not happen. Does not own: anything
 * about the actor itself, that is the store host's; the way to another node (`RemoteCalls`).
 *
 * N1 a call is retried by itself only where that is harmless: nothing was written (`fenced`, `unavailable`), or it is a
 *    query, or it carries an id.
 * N2 a call that was with three nodes which ended is taken to no further one: it may be what ends them.
 */

import type { AnyActorType, AnyWorkerType } from "../actor/any-actor.ts";
import type { CallOptions } from "../actor/ref.ts";
import { backoffMs } from "../base/backoff.ts";
import { withDeadline } from "../base/deadline.ts";
import { Deadlines } from "../base/deadlines.ts";
import { type Duration, durationMs } from "../base/duration.ts";
import type { Log } from "../base/log.ts";
import type { StoreHost } from "../host/store-host.ts";
import { OverloadedError, TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { TurnAsks } from "../turn/turn-asks.ts";
import type { WorkerPool } from "../workers/worker-pool.ts";
import type { Workers } from "../workers/workers.ts";
import type { ActorRegistry } from "./actor-registry.ts";
import { CALL, checkCall, DEFAULT_TIMEOUT_MS, envelopeOf, NO_CALLERS } from "./call-envelope.ts";
import { type Cancellation, untilAborted } from "./cancellation.ts";
import { DroppedTells } from "./dropped-tells.ts";
import { OneWayCall } from "./one-way-call.ts";
import { asJson, type CallerSide, cancelledError, PendingCall } from "./pending-call.ts";
import { OwnerGoneError, RemoteCalls, type RemoteCallsNode } from "./remote-calls.ts";

/** What a router needs from its node. */
export interface RouterNode extends RemoteCallsNode {
  readonly types: ActorRegistry;
  readonly log: Log;
  /** `undefined`: there are none. */
  readonly workers: Workers | undefined;
}

/** Calls to other nodes and to actors that are not in memory, at most: beyond it they are turned away (G9). */
const MAX_ROUTING = 50_000;
/** Nodes that may end while they have a call. */
const MAX_GONE = 3;
const RETRIED: ReadonlySet<string> = new Set(["fenced", "unavailable", "stopping"]);
/** What another node answers that has not begun the work. */
const NOT_BEGUN: ReadonlySet<string> = new Set(["overloaded", "unavailable"]);

/** What tells a call inside a turn from others: see {@link Envelope}. */
type Made = Pick<Envelope, "since" | "token">;

export class Router {
  readonly #node: RouterNode;
  readonly #remote: RemoteCalls;
  readonly #deadlines: Deadlines;
  /** Of calls that took the short way. */
  readonly #caller: CallerSide<unknown> = {
    read: parsed,
    again: (call, error) => (mayRetry(error) && !this.#stopped ? this.#again(call).then(parsed) : undefined),
  };
  /** Of those whose caller takes the reply as the text that it is. */
  readonly #textCaller: CallerSide<string | undefined> = {
    read: (body) => body,
    again: (call, error) => (mayRetry(error) && !this.#stopped ? this.#again(call) : undefined),
  };
  readonly #tells: DroppedTells;
  readonly #tellFailed: (envelope: Envelope, error: unknown) => void;
  readonly #tellAgain = (envelope: Envelope, error: unknown): Promise<unknown> | undefined =>
    mayRetry(error) && !this.#stopped ? this.route(envelope) : undefined;
  #timeout: Duration | undefined;
  #timeoutMs = 0;
  /** Calls that take the long way. */
  #routing = 0;
  #stopped = false;

  constructor(node: RouterNode) {
    this.#node = node;
    this.#remote = new RemoteCalls(node);
    this.#deadlines = new Deadlines(node.clock);
    this.#tells = new DroppedTells(node.log, node.clock);
    this.#tellFailed = (envelope, error) => this.#tells.failed(envelope, error);
  }

  /** The stateless workers of this node; `undefined`: there are none. */
  get workers(): Workers | undefined {
    return this.#node.workers;
  }

  /** How many messages of {@link tell} have failed since the start. */
  get droppedTells(): number {
    return this.#tells.count;
  }

  /** From now on what fails is not tried again. */
  stopRetrying(): void {
    this.#stopped = true;
  }

  /** Callers that still wait are told that their time is over. */
  stop(): void {
    this.#deadlines.stop();
  }

  /** A call made inside a turn: it carries the addresses that wait for it, and the trace. */
  callFrom(
    from: Envelope,
    deadline: number | undefined,
    type: AnyActorType | AnyWorkerType,
    key: string,
    message: string,
    input: unknown,
    asks: TurnAsks,
    options: CallOptions = {},
  ): Promise<unknown> {
    const callers = [...from.callers, `${from.type}/${from.key}`];
    const traceparent = asks.traceparent ?? from.traceparent;
    const traced =
      options.traceparent === undefined && traceparent !== undefined ? { ...options, traceparent } : options;
    const address = `${type.type}/${key}`;
    const kind = type.messages[message]?.kind;
    if (kind === undefined || kind === "query") {
      return this.call(type.type, key, message, input, traced, callers, deadline);
    }
    const { since } = from;
    const derived = options.id ?? asks.idOf(from, this.#tokenOf(from), address, message, input);
    // A worker keeps no replies, but what it asks in turn is the same when this turn is run again.
    if (kind === "work" && options.id === undefined) {
      const made = { since, token: derived };
      return asks.waitFor(address, this.call(type.type, key, message, input, traced, callers, deadline, made));
    }
    const once = { ...traced, id: derived };
    return asks.waitFor(address, this.call(type.type, key, message, input, once, callers, deadline, { since }));
  }

  /** What tells a message from any other: made when first needed, kept while it is tried again. */
  #tokenOf(envelope: Envelope): string {
    if (envelope.id !== undefined) return envelope.id;
    if (envelope.origin.kind === "timer") return `${envelope.origin.name} ${envelope.origin.dueAt}`;
    return (envelope.token ??= this.#node.randomness.uuid(this.#node.clock.now()));
  }

  /** A call, up to its parsed reply. `deadline` (monotonic): that of the turn it is made in. */
  call(
    type: string,
    key: string,
    message: string,
    input: unknown,
    options: CallOptions,
    callers: readonly string[] = NO_CALLERS,
    deadline?: number,
    made?: Made,
  ): Promise<unknown> {
    let timeoutMs = options.timeout === undefined ? DEFAULT_TIMEOUT_MS : this.#timeoutOf(options.timeout);
    if (deadline !== undefined) {
      timeoutMs = Math.min(timeoutMs, deadline - this.#node.clock.monotonic());
      if (timeoutMs <= 0) {
        const text = `Cannot call ${type}/${key} as the caller of this turn waits no longer`;
        return Promise.reject(new TroupeError("deadline_exceeded", text));
      }
    }
    const { id, signal } = options;
    const traceparent = options.traceparent ?? this.#node.spans?.tracing.current();
    const envelope: Envelope = {
      type,
      key,
      message,
      input,
      id,
      origin: CALL,
      attempt: 1,
      traceparent,
      callers,
      timeoutMs,
      token: made?.token,
      since: made?.since,
    };
    if (signal === undefined)
      return this.#shortWay(envelope, signal, this.#caller) ?? this.route(envelope).then(parsed);
    if (signal.aborted) return Promise.reject(cancelledError(message, `${type}/${key}`));
    return this.#shortWay(envelope, signal, this.#caller) ?? this.routeUntil(signal, envelope).then(parsed);
  }

  /** As `call`, for what is no part of a turn: up to its reply as JSON. */
  callText(
    type: string,
    key: string,
    message: string,
    input: unknown,
    { id, signal, timeout, traceparent = this.#node.spans?.tracing.current() }: CallOptions,
  ): Promise<string | undefined> {
    const timeoutMs = timeout === undefined ? DEFAULT_TIMEOUT_MS : this.#timeoutOf(timeout);
    const envelope = { ...envelopeOf(type, key, message, input, traceparent), id, timeoutMs };
    if (signal === undefined) return this.#shortWay(envelope, signal, this.#textCaller) ?? this.route(envelope);
    if (signal.aborted) return Promise.reject(cancelledError(message, `${type}/${key}`));
    return this.#shortWay(envelope, signal, this.#textCaller) ?? this.routeUntil(signal, envelope);
  }

  /** Read once: a door gives most calls the same time. */
  #timeoutOf(timeout: Duration): number {
    if (timeout !== this.#timeout) {
      this.#timeoutMs = durationMs(timeout);
      this.#timeout = timeout;
    }
    return this.#timeoutMs;
  }

  /** A message whose reply nobody waits for. Where there is no room for it, it is dropped and counted. */
  tell(type: string, key: string, message: string, input: unknown): void {
    const envelope = envelopeOf(type, key, message, input, this.#node.spans?.tracing.current());
    const host = this.#node.types.findHost(type);
    const actor = host?.dispatcher.resident(type, key);
    const definition = actor?.definitionOf(message);
    const now = this.#node.clock.monotonic();
    if (host !== undefined && actor !== undefined && definition !== undefined && host.partitions.holdsLease(now)) {
      host.dispatcher.deliverTo(actor, new OneWayCall(envelope, this.#tellFailed, this.#tellAgain), definition, now);
    } else {
      this.route(envelope).catch((error: unknown) => this.#tellFailed(envelope, error));
    }
  }

  /** As `route`, until `signal` is aborted. */
  routeUntil(signal: AbortSignal, envelope: Envelope, deadline?: number): Promise<string | undefined> {
    const error = (): TroupeError => cancelledError(envelope.message, `${envelope.type}/${envelope.key}`);
    return untilAborted(signal, error, (cancellation) => this.route(envelope, cancellation, deadline));
  }

  /** A call that failed on the short way takes the long one. */
  #again<Reply>({ envelope, deadline, signal }: PendingCall<Reply>): Promise<string | undefined> {
    return signal === undefined
      ? this.route(envelope, undefined, deadline)
      : this.routeUntil(signal, envelope, deadline);
  }

  /** Takes a message to its actor, wherever that is, and brings back the reply as JSON. */
  async route(
    envelope: Envelope,
    cancellation?: Cancellation,
    deadline = this.#node.clock.monotonic() + envelope.timeoutMs,
  ): Promise<string | undefined> {
    const { workers } = this.#node;
    if (workers?.has(envelope.type) === true && envelope.origin.kind === "call") {
      return this.#toWorker(workers, envelope, cancellation, deadline);
    }
    const host = this.check(envelope);
    if (this.#routing >= MAX_ROUTING) throw new OverloadedError(`${envelope.type}/${envelope.key}`, 1_000);
    this.#routing++;
    try {
      return await this.#deliver(host, envelope, deadline, cancellation);
    } finally {
      this.#routing--;
    }
  }

  async #deliver(
    host: StoreHost,
    envelope: Envelope,
    deadline: number,
    cancellation: Cancellation | undefined,
  ): Promise<string | undefined> {
    const partition = host.partitions.of(envelope.type, envelope.key);
    let gone = 0;
    for (let attempt = 1; ; attempt++) {
      try {
        if (host.partitions.partition(partition) !== undefined && host.partitions.holdsLease()) {
          return await this.local(host, envelope, deadline, cancellation);
        }
        this.#tokenOf(envelope); // the next node may be asked again with the same message
        const remaining = { ...envelope, timeoutMs: deadline - this.#node.clock.monotonic() };
        return await this.#remote.call(
          {
            ownership: host.ownership,
            owner: host.partitions.ownerOf(partition),
            definition: this.#node.types.find(envelope.type)?.messages[envelope.message],
          },
          remaining,
          cancellation,
        );
      } catch (error) {
        if (!mayRetry(error)) throw error;
        if (error instanceof OwnerGoneError && ++gone === MAX_GONE) throw deadlyError(envelope, error); // Router.N2
        if (await this.arrival(host, partition, deadline)) continue;
        const pauseMs = backoffMs(attempt, this.#node.randomness, 10, 250);
        if (this.#stopped || this.#node.clock.monotonic() + pauseMs >= deadline) throw error;
        await new Promise<void>((resolve) => this.#node.clock.after(pauseMs, resolve, true));
        if (cancellation?.cancelled) throw error;
        // An actor that is held here and could not be used has nothing to do with leases.
        if (host.partitions.partition(partition) === undefined || !host.partitions.holdsLease())
          await host.ownership.refresh();
      }
    }
  }

  /** To an actor of this node. */
  local(
    host: StoreHost,
    envelope: Envelope,
    deadline: number,
    cancellation?: Cancellation,
  ): Promise<string | undefined> {
    const call = new PendingCall(
      envelope,
      deadline,
      this.#node.clock.monotonic(),
      this.#deadlines,
      host.dispatcher,
      asJson,
    );
    if (envelope.origin.kind === "watch") host.dispatcher.watch(call, envelope.origin.seen);
    else host.dispatcher.deliver(call);
    cancellation?.heldBy(() => call.cancel());
    return call.promise;
  }

  /** To a stateless worker: here where a copy is free, else where another node has one, else here once one is free. */
  async #toWorker(
    workers: Workers,
    envelope: Envelope,
    cancellation: Cancellation | undefined,
    deadline: number,
  ): Promise<string | undefined> {
    const pool = workers.check(envelope);
    const other = pool.free ? undefined : workers.elsewhere(envelope.type);
    if (other !== undefined) {
      this.#tokenOf(envelope); // it may be asked again here, with the same message
      const remaining = { ...envelope, timeoutMs: deadline - this.#node.clock.monotonic() };
      const { node, ownership } = other;
      try {
        return await this.#remote.call({ ownership, owner: node, definition: undefined }, remaining, cancellation);
      } catch (error) {
        if (!(error instanceof TroupeError) || !NOT_BEGUN.has(error.code)) throw error;
        workers.passOver(envelope.type, node);
        if (cancellation?.cancelled === true) throw error;
      }
    }
    return this.#inPool(pool, envelope, deadline, cancellation);
  }

  /** A call of another node that had no free copy of a worker. @throws {OverloadedError} nor has this one; nothing was begun. */
  workFor(workers: Workers, envelope: Envelope, cancellation: Cancellation | undefined): Promise<string | undefined> {
    const pool = workers.check(envelope);
    if (!pool.free) throw new OverloadedError(envelope.type, 0);
    return this.#inPool(pool, envelope, this.#node.clock.monotonic() + envelope.timeoutMs, cancellation);
  }

  #inPool(
    pool: WorkerPool,
    envelope: Envelope,
    deadline: number,
    cancellation: Cancellation | undefined,
  ): Promise<string | undefined> {
    const call = new PendingCall(envelope, deadline, this.#node.clock.monotonic(), this.#deadlines, pool, asJson);
    pool.deliver(call);
    cancellation?.heldBy(() => call.cancel());
    return call.promise;
  }

  /** Waits while a partition is being handed over: whether it was, and there is a next owner to try. */
  async arrival(host: StoreHost, partition: number, deadline: number): Promise<boolean> {
    const moving = host.ownership.moving(partition);
    if (moving === undefined) return false;
    const { clock } = this.#node;
    await withDeadline(clock, Math.max(0, deadline - clock.monotonic()), (late) => Promise.race([moving, late]));
    return clock.monotonic() < deadline;
  }

  /** The host a call has to go to. @throws what is wrong with the call itself. */
  check(envelope: Envelope): StoreHost {
    const host = this.#node.types.check(envelope);
    checkCall(envelope, this.#node.types.find(envelope.type)?.messages[envelope.message]);
    return host;
  }

  /**
   * The common case, an actor that is in memory here: what was looked up and checked when it came there is not looked up
   * again. `undefined`: the long way has to be taken. Should the short one fail, the long way goes on where that is
   * harmless (Router.N1).
   */
  #shortWay<Reply>(
    envelope: Envelope,
    signal: AbortSignal | undefined,
    caller: CallerSide<Reply>,
  ): Promise<Reply> | undefined {
    const host = this.#node.types.findHost(envelope.type);
    const actor = host?.dispatcher.resident(envelope.type, envelope.key);
    const definition = actor?.definitionOf(envelope.message);
    if (host === undefined || actor === undefined || definition === undefined) return undefined;
    const now = this.#node.clock.monotonic();
    if (!host.partitions.holdsLease(now)) return undefined;
    try {
      checkCall(envelope, definition);
    } catch (error) {
      return Promise.reject(error as Error);
    }
    const call = new PendingCall(envelope, now + envelope.timeoutMs, now, this.#deadlines, host.dispatcher, caller);
    host.dispatcher.deliverTo(actor, call, definition, now);
    if (signal !== undefined) call.until(signal);
    return call.promise;
  }
}

function parsed(body: string | undefined): unknown {
  return body === undefined ? undefined : JSON.parse(body);
}

function deadlyError({ type, key, message }: Envelope, cause: OwnerGoneError): TroupeError {
  const text = `Cannot get a reply to ${message} from ${type}/${key} as ${MAX_GONE} nodes ended one after the other while they had it: see what ended them before it is sent again`;
  return new TroupeError("deadline_exceeded", text, { cause });
}

/** Whether a call that failed this way may be tried again by itself. */
export function mayRetry(error: unknown): boolean {
  // N1. `stopping` is another node's: this one gives up by itself once it stops.
  return error instanceof TroupeError && RETRIED.has(error.code);
}
