/**
 * One socket: what its client follows, and the way there.
 *
 * Owns: its subscriptions, the order of its client's messages, waiting for a slow client. Does not own: the handshake and
 * the limits of frames (`Sockets`), history (`Topics`).
 * Calls in: `opened`, `received`, `drained`, `closed`, `end`, `principal`. Calls out: `Topics.subscribe`.
 *
 * W1 A client that does not read is waited for, not written to: what it misses meanwhile is read from the history when it
 *    reads again. Its buffer never holds more than the frame it is at.
 * W2 The client's messages take effect one after the other, in the order they came.
 * W3 A topic is followed once, however often it is asked for.
 */
import type { ServerWebSocket } from "bun";
import { parseJson } from "#infra/http/json-text.ts";
import type { Principal } from "#infra/http/principal.ts";
import { Problem } from "#infra/http/problem.ts";
import { InvalidInputError, isTopic, type Log, TroupeError, type Topics, type TopicSubscription } from "#runtime";
import type { SocketCaller } from "./access.ts";
import { MessageRate } from "./message-rate.ts";
import { type ClientMessage, errorFrame, frameOf, readMessage, type SocketErrorCode } from "./protocol.ts";

/** Why the server closes a socket. Clients come back after each of them, with the last id; after 1008 they should not hurry. */
export const CLOSE = {
  /** The process stops: another one takes over. */
  goingAway: 1001,
  /** A frame that is no text. */
  notText: 1003,
  /** More messages than a client may send. */
  tooManyMessages: 1008,
  /** The key that opened it was revoked, or has ended. */
  keyEnded: 1008,
  /** The client did not read for a while. */
  tooSlow: 1013,
  /** Whether the key is still good cannot be told here. */
  keysUnknown: 1013,
} as const;

/** Bounds of one socket. */
export interface SessionLimits {
  readonly maxTopics: number;
  readonly messagesPerSecond: number;
  readonly messageBurst: number;
  /** Milliseconds a client may leave its buffer full. */
  readonly stallMs: number;
}

export interface SessionOptions {
  readonly topics: () => Pick<Topics, "subscribe">;
  readonly caller: SocketCaller;
  readonly limits: SessionLimits;
  readonly log: Log;
}

type Socket = ServerWebSocket<Session>;

export class Session {
  readonly #options: SessionOptions;
  readonly #rate: MessageRate;
  readonly #following = new Map<string, TopicSubscription>();
  #socket: Socket | undefined;
  #work: Promise<void> = Promise.resolve();
  #stall: { readonly over: Promise<void>; end(): void } | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#rate = new MessageRate(options.limits.messagesPerSecond, options.limits.messageBurst);
  }

  /** Whose key opened it. `undefined`: nobody had to say. */
  get principal(): Principal | undefined {
    return this.#options.caller.principal;
  }

  opened(socket: Socket): void {
    this.#socket = socket;
  }

  received(frame: string | Buffer): void {
    if (!this.#rate.take(performance.now())) return this.end(CLOSE.tooManyMessages, "Too many messages");
    if (typeof frame !== "string") return this.end(CLOSE.notText, "Send text frames");
    this.#work = this.#work.then(() => this.#handle(frame)); // SocketsSession.W2
  }

  drained(): void {
    this.#stall?.end();
  }

  closed(): void {
    this.#socket = undefined;
    for (const subscription of this.#following.values()) subscription.close();
    this.#following.clear();
    this.#stall?.end();
  }

  /** Closes the socket from here. */
  end(code: number, reason: string): void {
    this.#socket?.close(code, reason);
  }

  async #handle(frame: string): Promise<void> {
    if (this.#socket === undefined) return;
    try {
      const message = readMessage(parseJson(frame));
      if (message === undefined) this.#fail("invalid_message", "Expected subscribe, unsubscribe or ping");
      else await this.#obey(message);
    } catch (error) {
      this.#failed(error);
    }
  }

  async #obey(message: ClientMessage): Promise<void> {
    if ("subscribe" in message) return this.#subscribe(message.subscribe, message.after);
    if ("unsubscribe" in message) return this.#unsubscribe(message.unsubscribe);
    const at = [...new Set(this.#following.values())].map((subscription) => ({
      topics: [...this.#following].filter(([, other]) => other === subscription).map(([topic]) => topic),
      id: subscription.position,
    }));
    this.#send(JSON.stringify({ pong: message.ping ?? null, at }));
  }

  async #subscribe(asked: readonly string[], after: string | undefined): Promise<void> {
    const { topics, caller, limits } = this.#options;
    const wrong = asked.findIndex((topic) => !isTopic(topic));
    if (wrong >= 0) return this.#fail("invalid_topic", `/subscribe/${wrong} names no topic`);
    const forbidden = asked.findIndex((topic) => !caller.mayFollow(topic));
    if (forbidden >= 0) return this.#fail("forbidden_topic", `/subscribe/${forbidden} is not for you to follow`);
    const fresh = [...new Set(asked)].filter((topic) => !this.#following.has(topic)); // SocketsSession.W3
    const count = this.#following.size + fresh.length;
    if (count > limits.maxTopics)
      return this.#fail("too_many_topics", `A socket follows ${limits.maxTopics} topics at most, this makes ${count}`);
    if (fresh.length === 0) return this.#send(JSON.stringify({ subscribed: [] }));
    const subscription = await topics().subscribe(fresh, { after });
    if (this.#socket === undefined) return subscription.close();
    for (const topic of fresh) this.#following.set(topic, subscription);
    this.#send(JSON.stringify({ subscribed: fresh, id: subscription.position }));
    void this.#pump(subscription);
  }

  #unsubscribe(asked: readonly string[]): void {
    const gone = [...new Set(asked)].filter((topic) => this.#following.has(topic));
    for (const topic of gone) {
      this.#following.get(topic)?.unfollow([topic]);
      this.#following.delete(topic);
    }
    this.#send(JSON.stringify({ unsubscribed: gone }));
  }

  async #pump(subscription: TopicSubscription): Promise<void> {
    for await (const item of subscription) {
      this.#send(frameOf(item));
      if (this.#stall !== undefined) await this.#stall.over; // SocketsSession.W1
    }
    // The topics were closed under a socket that is still open: the process stops, or its history is gone.
    if ([...this.#following.values()].includes(subscription)) this.end(CLOSE.goingAway, "Resume after the last id");
  }

  #send(frame: string): void {
    // 0: the socket is closing. -1: taken, but the client's buffer is full.
    if (this.#socket !== undefined && this.#socket.send(frame) < 0) this.#stall ??= this.#waitForClient();
  }

  #waitForClient(): { readonly over: Promise<void>; end(): void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(
      () => this.end(CLOSE.tooSlow, "Too slow: resume after the last id"),
      this.#options.limits.stallMs,
    );
    const end = (): void => {
      clearTimeout(timer);
      this.#stall = undefined;
      resolve();
    };
    return { over: promise, end };
  }

  #fail(code: SocketErrorCode, detail: string): void {
    this.#send(errorFrame(code, detail));
  }

  #failed(error: unknown): void {
    if (error instanceof InvalidInputError) {
      const after = error.issues.some(({ path }) => path === "/after");
      this.#fail(after ? "invalid_after" : "invalid_topic", error.issues.map(({ expected }) => expected).join("; "));
    } else if (error instanceof Problem && error.status === 400) {
      this.#fail("invalid_message", "Expected a JSON text that every reader reads alike");
    } else if (error instanceof Problem || (error instanceof TroupeError && error.retryable)) {
      this.#fail("unavailable", "Not available right now: try again in a while");
    } else {
      this.#options.log("error", "socket:failed", { error: String(error) });
      this.#fail("internal", "Something went wrong here");
    }
  }
}
