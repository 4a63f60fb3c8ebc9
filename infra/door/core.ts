/**
 * What a door does, however it is reached: finds what is listed, asks who may, calls, and follows. `handler.ts` speaks HTTP to
 * it, `session.ts` frames over a socket, `batch.ts` several calls in one request.
 *
 * Owns: the listed actors, the count of open streams. Does not own: how a request is read or an answer is written.
 */
import {
  type AnyActorType,
  type AnyWorkDefinition,
  type AnyWorkerType,
  type Duration,
  durationMs,
  type Log,
  silentLog,
} from "#runtime";
import { Channel } from "./channel.ts";
import { placeOf } from "./event-id.ts";
import { alarm, type EventRow } from "./event-stream.ts";
import { type Shown, shownBy, workersBy } from "./exposure.ts";
import { doorProblem, failureOf, type Failure } from "./failure.ts";
import type { DoorOptions, DoorTroupe, Verdict } from "./options.ts";
import { messageId, timeoutOf } from "./request-options.ts";
import { StateFeeds } from "./state-feed.ts";
import type { WatchEvent } from "./watch-event.ts";
import { Watcher } from "./watcher.ts";

/** A call, wherever it was read from. */
export interface Ask {
  readonly type: string;
  readonly key: string;
  readonly message: string;
  readonly input: unknown;
  /** What makes a command act once; `undefined`: nothing does. */
  readonly idempotencyKey: string | undefined;
  /** Milliseconds the caller waits, as it was sent; `undefined`: as long as the door allows. */
  readonly deadlineMs: string | undefined;
}

/** An actor to follow. */
export interface Follow {
  readonly type: string;
  readonly key: string;
  /** The id of the last event; `undefined`: from now. */
  readonly after: string | undefined;
}

/** An actor to connect to. */
export interface Connect {
  readonly type: string;
  readonly key: string;
  readonly data: unknown;
}

/** A first state that takes longer than this does not hold up the answer: the stream opens without it. */
const FIRST_STATE_MS = 1_000;

export class Door {
  readonly shown: ReadonlyMap<string, Shown>;
  readonly workers: ReadonlyMap<string, AnyWorkerType>;
  readonly base: string;
  readonly maxBodyBytes: number;
  readonly heartbeatMs: number;
  readonly lifeMs: number;
  readonly #options: DoorOptions;
  readonly #node: () => DoorTroupe;
  readonly #log: Log;
  readonly #timeoutMs: number;
  /** The same, as calls are told. */
  readonly #timeout: Duration;
  readonly #maxStreams: number;
  /** Ends what is open, when the door closes. */
  readonly #open = new Set<() => void>();
  readonly #feeds = new StateFeeds();
  #streams = 0;

  /** @throws {TypeError} when a type is listed twice, or `base` does not begin with a slash, or ends with one. */
  constructor(troupe: DoorTroupe | (() => DoorTroupe), options: DoorOptions) {
    const { base = "", maxBodyBytes = 262_144, maxStreams = 10_000, log = silentLog } = options;
    if (base !== "" && !/^\/.*[^/]$/u.test(base)) {
      throw new TypeError(`Cannot mount a door at "${base}": expected "" or a path like "/rpc"`);
    }
    this.base = base;
    this.maxBodyBytes = maxBodyBytes;
    this.heartbeatMs = durationMs(options.heartbeat ?? "5s");
    this.lifeMs = durationMs(options.streamFor ?? "5m");
    this.shown = shownBy(options.actors);
    this.workers = workersBy(options.workers ?? [], this.shown);
    this.#options = options;
    this.#node = typeof troupe === "function" ? troupe : () => troupe;
    this.#log = log;
    this.#timeout = options.timeout ?? "30s";
    this.#timeoutMs = durationMs(this.#timeout);
    this.#maxStreams = maxStreams;
  }

  /** The node behind the door. Throws what whoever gives it throws. */
  get node(): DoorTroupe {
    return this.#node();
  }

  /** The definition of a message that is listed. @throws {Problem} 404: there is none. */
  definition(type: string, message: string): AnyActorType["messages"][string] | AnyWorkDefinition {
    const worker = this.workers.get(type);
    if (worker !== undefined) return ownOf(worker.messages, message) ?? noMessage();
    const { actor, messages } = this.#found(type);
    const definition = messages.has(message) ? actor.messages[message] : undefined;
    return definition ?? noMessage();
  }

  /** What of an actor type may be followed. @throws {Problem} 404: nothing. */
  followed(type: string): Shown {
    const shown = this.#found(type);
    return !shown.watch && shown.topics === undefined ? noMessage() : shown;
  }

  /**
   * Calls a message that is listed, for whom `authorize` lets: the reply of its durable turn, as JSON; `undefined` where it is empty.
   * @param request what `authorize` sees.
   */
  async call(ask: Ask, request: Request, traceparent: string, signal: AbortSignal): Promise<string | undefined> {
    const { type, key, message, input } = ask;
    const { kind } = this.definition(type, message);
    const timeout = ask.deadlineMs === undefined ? this.#timeout : timeoutOf(ask.deadlineMs, this.#timeoutMs);
    // What is known at once is not waited for: each wait costs every call a turn of the queue.
    const verdict = this.#options.authorize({ kind, type, key, message, input }, request);
    const caller = admitted(verdict instanceof Promise ? await verdict : verdict); // DoorHandler.D2
    if (kind !== "command" || ask.idempotencyKey === undefined) {
      return this.#node().callText(type, key, message, input, { timeout, signal, traceparent });
    }
    const named = messageId(ask.idempotencyKey, caller); // DoorHandler.D3
    const id = typeof named === "string" ? named : await named;
    return this.#node().callText(type, key, message, input, { id, timeout, signal, traceparent });
  }

  /**
   * Follows an actor, for whom `authorize` lets. The row counts as an open stream until it is stopped.
   * @throws {Problem} what keeps it from being a row at all: a key that cannot be, no room, a node that stops.
   */
  async follow({ type, key, after }: Follow, request: Request): Promise<EventRow> {
    const { actor, watch: states, topics } = this.followed(type);
    const place = placeOf(after);
    admitted(await this.#options.authorize({ kind: "watch", type, key, message: "watch", input: undefined }, request)); // DoorHandler.D2
    return this.#counted(async () => {
      const wish = { actor, key, states, topics: topics?.(key) ?? [], after: place };
      const watcher = await Watcher.start(this.#node(), this.#feeds, wish);
      const first = watcher.next();
      const patience = alarm(FIRST_STATE_MS);
      try {
        await Promise.race([first, patience.over]);
      } catch (error) {
        watcher.stop();
        throw error;
      } finally {
        patience.cancel();
      }
      return rowOf(watcher, first);
    });
  }

  /** Connects to an actor that has sockets, for whom `authorize` lets. Counts as an open stream until it is stopped. */
  async connect(connect: Connect, request: Request): Promise<Channel> {
    const { type, key, data } = connect;
    const { actor, sockets } = this.#found(type);
    if (!sockets) throw doorProblem("message.not_found", "It has no sockets");
    const caller = await this.#mayConnect(connect, request); // DoorHandler.D2
    const closes = actor.sockets?.onClose !== undefined;
    const to = { type, key, caller, data, timeoutMs: this.#timeoutMs, closes };
    return this.#counted(() => Channel.open(this.#node(), to));
  }

  /** Whether a socket may stay open for who opened it. @throws {Problem} it may not, or somebody else asks by now. */
  async readmit(connect: Connect, request: Request, { caller }: Channel): Promise<void> {
    if ((await this.#mayConnect(connect, request)) === caller) return;
    throw doorProblem("forbidden", "This socket was opened by another caller");
  }

  /** What any thrown value is answered with. What is our own fault is logged. */
  failure(error: unknown, type: string, traceId: string): Failure {
    const failure = failureOf(error, type, traceId, this.#options.refusalData ?? true);
    if (failure.status === 500 && failure.body.code === "internal")
      this.#log("error", "door:failed", { traceId, error });
    return failure;
  }

  /** `end` is called when the door closes; call what this answers when it has ended by itself. */
  opened(end: () => void): () => void {
    this.#open.add(end);
    return () => this.#open.delete(end);
  }

  /** Ends everything that is open. */
  close(): void {
    for (const end of this.#open) end();
  }

  /** Begins a row that counts as an open stream until it is stopped. */
  async #counted<Row extends EventRow>(begin: () => Promise<Row>): Promise<Row> {
    if (this.#streams >= this.#maxStreams) {
      throw doorProblem("streams.full", "Too many streams are open: try again", { retryAfter: 1 });
    }
    this.#streams++;
    let open = true;
    const over = (): void => {
      if (open) this.#streams--;
      open = false;
    };
    try {
      const row = await begin();
      const stop = row.stop.bind(row);
      row.stop = () => {
        stop();
        over();
      };
      return row;
    } catch (error) {
      over();
      throw error;
    }
  }

  async #mayConnect({ type, key, data }: Connect, request: Request): Promise<string> {
    const call = { kind: "socket", type, key, message: "socket", input: data } as const;
    return admitted(await this.#options.authorize(call, request));
  }

  #found(type: string): Shown {
    const one = this.shown.get(type);
    if (one === undefined && this.workers.has(type)) return noMessage(); // nothing of it can be followed
    if (one === undefined) throw doorProblem("actor.not_found", "There is no such actor type"); // DoorHandler.D1
    return one;
  }
}

function noMessage(): never {
  throw doorProblem("message.not_found", "There is no such message");
}

function ownOf<T>(all: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(all, name) ? all[name] : undefined;
}

/** The events of a watcher whose first was asked for already. */
function rowOf(watcher: Watcher, first: Promise<WatchEvent | undefined>): EventRow {
  let early: typeof first | undefined = first;
  return {
    next() {
      const next = early ?? watcher.next();
      early = undefined;
      return next;
    },
    sent: () => watcher.sent(),
    stop: () => watcher.stop(),
  };
}

/** The caller that a verdict names. @throws {Problem} 401 or 403 where it is no yes. */
function admitted(verdict: Verdict): string {
  if (verdict === true) return "";
  if (verdict === "unauthenticated") {
    throw doorProblem("unauthenticated", "This needs to know who asks", { headers: { "www-authenticate": "Bearer" } });
  }
  if (typeof verdict === "object") return verdict.caller;
  throw doorProblem("forbidden", "This is not for you");
}
