/**
 * One socket of an actor, at the door where it came in.
 *
 * Owns: the state of the socket, the messages that wait for their turn, what waits to be sent. Does not own: the line to the
 * client (`session.ts`). Calls in: `say`, and those of an `EventRow`. Calls out: `Troupe.call`, `Topics.subscribe`.
 *
 * H1 Messages of a socket are turns one after another: the next begins when the reply of the one before is there.
 * H2 A turn whose answer was lost is asked for again under its id, until the time for a call is over: then the socket ends,
 *    as nobody knows its state.
 * H3 Nothing more is read ahead than the answer of one turn and one broadcast: a client that does not read holds up its own turns.
 */
import { newId, type TopicItem, type TopicSubscription, TroupeError } from "#runtime";
import {
  CLOSE,
  CONNECT,
  KEEP,
  LEASE_MS,
  RECEIVE,
  type SocketBroadcast,
  type SocketReply,
  socketTopic,
} from "#runtime/internal";
import type { EventRow } from "./event-stream.ts";
import { doorProblem } from "./failure.ts";
import type { DoorTroupe } from "./options.ts";
import { WatchEvent } from "./watch-event.ts";

/** Who connects, and to what. */
export interface Connecting {
  readonly type: string;
  readonly key: string;
  readonly caller: string;
  readonly data: unknown;
  readonly timeoutMs: number;
  /** Whether the actor wants to hear that it closes, and so that it is still open. */
  readonly closes: boolean;
}

interface Said {
  readonly message: string;
  readonly data: unknown;
  done(error?: unknown): void;
}

const FIRST_PAUSE_MS = 20;
const MOST_PAUSE_MS = 1_000;

export class Channel implements EventRow {
  readonly #node: DoorTroupe;
  readonly #to: Connecting;
  readonly #socket = newId("sock");
  readonly #broadcasts: TopicSubscription;
  #keep: ReturnType<typeof setInterval> | undefined;
  /** The turns under way, up to the last that is known of. */
  #task: Promise<void> = Promise.resolve();
  readonly #said: Said[] = [];
  #out: string[] = [];
  #state: unknown;
  #count = 0;
  #working = false;
  #over = false;
  #ahead: Promise<TopicItem | undefined> | undefined;
  #wake: () => void = () => undefined;

  private constructor(node: DoorTroupe, to: Connecting, broadcasts: TopicSubscription) {
    this.#node = node;
    this.#to = to;
    this.#broadcasts = broadcasts;
    if (!to.closes) return;
    this.#keep = setInterval(() => void this.say(undefined, KEEP).catch(() => undefined), LEASE_MS / 3);
  }

  /** Connects. Rejects as the actor's `onConnect` does. */
  static async open(node: DoorTroupe, to: Connecting): Promise<Channel> {
    // Before the actor knows of the socket, so that it misses nothing from then on.
    const channel = new Channel(node, to, await node.topics.subscribe([socketTopic(to.type, to.key)]));
    try {
      await channel.say(to.data, CONNECT);
      return channel;
    } catch (error) {
      channel.#end();
      throw error;
    }
  }

  /** Who opened it. */
  get caller(): string {
    return this.#to.caller;
  }

  /** Messages that wait for their turn. */
  get waiting(): number {
    return this.#said.length;
  }

  /** A message of the client. Resolves when its turn is durable; rejects as the actor does. */
  say(data: unknown, message: string = RECEIVE): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (error?: unknown): void => (error === undefined ? resolve() : reject(error as Error));
      if (this.#over) return done(doorProblem("cancelled", "The socket is closed"));
      this.#said.push({ message, data, done });
      this.#work();
    });
  }

  async next(): Promise<WatchEvent | undefined> {
    for (;;) {
      const [text] = this.#out;
      if (text !== undefined) return new WatchEvent("", "message", text);
      if (this.#over) return undefined;
      const woken = new Promise<"woken">((resolve) => (this.#wake = () => resolve("woken")));
      const came = await Promise.race([woken, (this.#ahead ??= this.#broadcast())]);
      if (came === "woken") continue;
      this.#ahead = undefined;
      // What was lost cannot be had again: the client connects anew.
      if (came === undefined || came.kind === "gap") return undefined;
      const { key, to, except, data } = came.data as SocketBroadcast;
      const forUs = key === this.#to.key && except !== this.#socket && (to ?? this.#socket) === this.#socket;
      if (forUs) this.#out.push(JSON.stringify(data));
    }
  }

  sent(): void {
    this.#out.shift();
    this.#work();
  }

  stop(): void {
    if (this.#over) return;
    this.#end();
    // Behind the turn under way, whose state it takes. Where this fails, the actor's timer does it.
    if (this.#to.closes) void this.#task.then(() => this.#turn(CLOSE, undefined)).catch(() => undefined);
  }

  #end(): void {
    this.#over = true;
    clearInterval(this.#keep);
    this.#broadcasts.close();
    for (const { done } of this.#said.splice(0)) done(doorProblem("cancelled", "The socket is closed"));
    this.#wake();
  }

  async #broadcast(): Promise<TopicItem | undefined> {
    return (await this.#broadcasts.next()).value;
  }

  #work(): void {
    if (this.#working) return;
    this.#working = true;
    this.#task = this.#turns();
  }

  /** Channel.H1, Channel.H3 */
  async #turns(): Promise<void> {
    while (!this.#over && this.#out.length === 0) {
      const [said] = this.#said;
      if (said === undefined) break;
      try {
        const { state, out, close } = await this.#turn(said.message, said.data);
        this.#state = state;
        this.#out = [...this.#out, ...out];
        said.done();
        if (close) this.#close();
      } catch (error) {
        said.done(error);
        if (error instanceof TroupeError && error.retryable) this.stop(); // Channel.H2
      }
      this.#said.shift();
      this.#wake();
    }
    this.#working = false;
  }

  /** The actor closes it: what was sent before goes first. */
  #close(): void {
    const left = this.#out;
    this.stop();
    this.#out = left;
  }

  /** Channel.H2 */
  async #turn(message: string, data: unknown): Promise<SocketReply> {
    const { type, key, caller, timeoutMs } = this.#to;
    const socket = this.#socket;
    const state = message === CONNECT ? undefined : this.#state;
    const input = { socket, caller, ...(state !== undefined && { state }), ...(data !== undefined && { data }) };
    const id = `${socket}/${this.#count++}`;
    const end = Date.now() + timeoutMs;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, MOST_PAUSE_MS)) {
      try {
        return (await this.#node.call(type, key, message, input, { id, timeout: `${timeoutMs}ms` })) as SocketReply;
      } catch (error) {
        if (!(error instanceof TroupeError) || !error.retryable || Date.now() + pauseMs >= end) throw error;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
    }
  }
}
