/**
 * Calls between nodes over NATS: at most once, JSON both ways, one subject per node and one inbox per caller.
 *
 * Owns: who waits for which answer. Does not own: the connection.
 *
 * T1 calls to one node that are made in the same moment travel as one message, and so do answers to one caller: a
 *    message costs far more than a line in it.
 * T2 a call that was certainly not sent, or that nobody serves, fails with `unavailable`: the runtime may route it again.
 *    One that was sent and gets no answer fails with `deadline_exceeded`: its turn may have been made.
 * T3 when the connection drops every call under way is answered at once.
 *
 * A message is a list of lines, `number text`. In calls the text is the envelope; in answers it is `r` and the reply, or
 * `e` and the error. The numbers of a message follow each other, and its reply subject tells the first and how many there
 * are: so a server that says that nobody serves the subject says for whom.
 */
import { createInbox, type Msg, type NatsConnection, type Subscription } from "@nats-io/transport-node";
import { type Envelope, type Log, type Transport, TroupeError, type WireError, type WireReply } from "#runtime";
import type { NatsLink } from "./connection.ts";
import { LineQueue } from "./line-queue.ts";
import { NODE_SUBJECT_PREFIX, nodeSubject } from "./subjects.ts";

/** Options of {@link natsTransport}. */
export interface NatsTransportOptions {
  /** Shared; stays open when the transport is closed. */
  readonly connection: NatsLink;
  readonly log: Log;
  /** Nodes of one cluster share it, other clusters do not. @default "troupe.node" */
  readonly subjectPrefix?: string;
  /** Milliseconds `serve` waits for the connection. @default 10_000 */
  readonly connectMs?: number;
}

interface Waiting {
  readonly what: string;
  readonly deadline: number;
  resolve(reply: WireReply): void;
  reject(error: TroupeError): void;
}

interface Outgoing {
  readonly text: string;
  readonly waiting: Waiting;
}

/** Deadlines are looked at this often: an answer that never comes is noticed up to this late. */
const TICK_MS = 100;
const SEND_WITHIN_MS = 5_000;
/** The longest wait a timer can count. */
const FOR_EVER_MS = 0x7fffffff;
const NO_RESPONDERS = 503;

/**
 * A transport over a connection to NATS (2.2 or newer): calls between nodes, at most once.
 *
 * `call` throws a {@link TroupeError}: `unavailable` at once when nobody serves that node or NATS is away: then the
 * message was certainly not handled; `deadline_exceeded` when the connection drops on the way or no reply comes within
 * `envelope.timeoutMs`: then the turn may have been made all the same.
 *
 * @example
 * ```ts
 * const connection = connectNats({ url: "nats://localhost:4222", log: silentLog });
 * const transport = natsTransport({ connection, log: silentLog });
 * const node = await createTroupe({
 *   actors: [Counter],
 *   stores: { default: postgresStore("postgres://localhost/app") },
 *   transport,
 * });
 * ```
 */
export function natsTransport(options: NatsTransportOptions): Transport {
  return new NatsTransport(options);
}

class NatsTransport implements Transport {
  readonly #connection: NatsLink;
  readonly #log: Log;
  readonly #prefix: string;
  readonly #connectMs: number;
  readonly #inbox = createInbox();
  readonly #served: Subscription[] = [];
  readonly #waiting = new Map<number, Waiting>();
  readonly #calls: LineQueue<Outgoing>;
  readonly #answers: LineQueue<{ readonly text: string }>;
  /** The client that our inbox is subscribed on: a new one knows nothing of it. */
  #listening: NatsConnection | undefined;
  #inboxes: Subscription | undefined;
  #number = 0;
  #ticking: ReturnType<typeof setInterval> | undefined;
  #watched = false;

  constructor({ connection, log, subjectPrefix = NODE_SUBJECT_PREFIX, connectMs = 10_000 }: NatsTransportOptions) {
    this.#connection = connection;
    this.#log = log;
    this.#prefix = subjectPrefix;
    this.#connectMs = connectMs;
    this.#calls = new LineQueue((subject, calls) => this.#sendCalls(subject, calls));
    this.#answers = new LineQueue((subject, answers) => this.#sendAnswers(subject, answers));
  }

  async serve(node: string, handle: (envelope: Envelope) => Promise<WireReply>): Promise<void> {
    const subject = nodeSubject(node, this.#prefix);
    await this.#connection.ready(this.#connectMs);
    await this.#connection.use(`serve ${subject}`, this.#connectMs, async (client) => {
      // The client subscribes again by itself after each reconnect.
      const subscription = client.subscribe(subject, {
        callback: (error, message) => {
          if (error !== null) this.#log("error", "transport:failed", { subject, reason: error.message });
          else this.#take(message, handle);
        },
      });
      this.#served.push(subscription);
      // Known to the server before anybody is told that this node is here.
      await client.flush();
    });
  }

  call(node: string, envelope: Envelope): Promise<WireReply> {
    return new Promise((resolve, reject) => {
      const what = `call ${envelope.type}/${envelope.key} on node ${node}`;
      if (!this.#connection.connected) {
        reject(unsent(what, `NATS at ${this.#connection.address} is not connected`)); // NatsTransport.T2
        return;
      }
      const waiting: Waiting = { what, deadline: performance.now() + envelope.timeoutMs, resolve, reject };
      this.#calls.add(nodeSubject(node, this.#prefix), { text: JSON.stringify(envelope), waiting });
    });
  }

  async close(): Promise<void> {
    const open = this.#served.splice(0).filter((subscription) => !subscription.isClosed());
    await Promise.allSettled(open.map((subscription) => subscription.drain()));
    // What is left of answers goes out before anybody is told that this node is gone.
    this.#answers.flush();
    await this.#connection
      .use("send the last answers", SEND_WITHIN_MS, (client) => client.flush())
      .catch(() => undefined);
    this.#inboxes?.unsubscribe();
    clearInterval(this.#ticking);
    this.#failAll("this node is shutting down");
  }

  // --- the caller's side ---

  #sendCalls(subject: string, calls: readonly Outgoing[]): void {
    const first = this.#number + 1;
    const lines = calls.map(({ text }) => `${++this.#number} ${text}`).join("\n");
    calls.forEach(({ waiting }, i) => this.#waiting.set(first + i, waiting));
    this.#ticking ??= this.#tick();
    this.#watch();
    this.#connection
      .use(`call ${subject}`, SEND_WITHIN_MS, async (client) => {
        this.#listen(client);
        client.publish(subject, lines, { reply: `${this.#inbox}.${first}.${calls.length}` });
      })
      .catch((error: unknown) => this.#notSent(first, calls, error));
  }

  /** Nothing went out: the connection had gone, or the message is larger than NATS carries; then one by one. */
  #notSent(first: number, calls: readonly Outgoing[], error: unknown): void {
    calls.forEach(({ waiting }, i) => {
      this.#waiting.delete(first + i);
      const why = error instanceof Error ? error.message : String(error);
      waiting.reject(
        this.#connection.connected
          ? new TroupeError("deadline_exceeded", `Cannot ${waiting.what}: ${why}`, { cause: error })
          : unsent(waiting.what, why),
      );
    });
  }

  #listen(client: NatsConnection): void {
    if (this.#listening === client) return;
    this.#listening = client;
    // Reaches the server before what is published next, so no answer can be missed.
    this.#inboxes = client.subscribe(`${this.#inbox}.>`, {
      callback: (error, message) => {
        if (error === null) this.#answered(message);
      },
    });
  }

  #answered(message: Msg): void {
    if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
      const [first = 0, count = 0] = message.subject.split(".").slice(-2).map(Number);
      for (let number = first; number < first + count; number++) {
        const waiting = this.#settle(number);
        waiting?.reject(unsent(waiting.what, "nobody serves it"));
      }
      return;
    }
    for (const line of message.string().split("\n")) {
      const space = line.indexOf(" ");
      const waiting = this.#settle(Number(line.slice(0, space)));
      if (waiting === undefined) continue; // it came too late
      const text = line.slice(space + 2);
      if (line[space + 1] === "e") waiting.resolve({ kind: "error", error: JSON.parse(text) as WireError });
      else waiting.resolve({ kind: "reply", body: text === "" ? undefined : text });
    }
  }

  #settle(number: number): Waiting | undefined {
    const waiting = this.#waiting.get(number);
    this.#waiting.delete(number);
    return waiting;
  }

  #tick(): ReturnType<typeof setInterval> {
    const timer = setInterval(() => {
      const now = performance.now();
      for (const [number, { what, deadline, reject }] of this.#waiting) {
        if (deadline > now) continue;
        this.#waiting.delete(number);
        reject(unanswered(what, "it is overdue"));
      }
    }, TICK_MS);
    timer.unref();
    return timer;
  }

  /** NatsTransport.T3: work that never ends, and so ends with the connection. */
  #watch(): void {
    if (this.#watched) return;
    this.#watched = true;
    this.#connection
      .use("carry calls between nodes", FOR_EVER_MS, () => new Promise<never>(() => undefined))
      .catch((error: unknown) => {
        this.#watched = false;
        this.#failAll(error instanceof Error ? error.message : String(error));
      });
  }

  #failAll(why: string): void {
    for (const [number, { what, reject }] of this.#waiting) {
      this.#waiting.delete(number);
      reject(unanswered(what, why));
    }
  }

  // --- the owner's side ---

  #take(message: Msg, handle: (envelope: Envelope) => Promise<WireReply>): void {
    const reply = message.reply?.split(".").slice(0, -2).join(".");
    for (const line of message.string().split("\n")) {
      const space = line.indexOf(" ");
      const number = line.slice(0, space);
      let envelope: Envelope;
      try {
        envelope = JSON.parse(line.slice(space + 1)) as Envelope;
        if (reply === undefined || typeof envelope !== "object") throw new TypeError("not a call");
      } catch {
        // Not from a node. No reply: the sender's deadline is its answer.
        this.#log("warn", "transport:unreadable", { subject: message.subject, sizeBytes: message.data.length });
        return;
      }
      void handle(envelope).then((answer) => {
        const text = answer.kind === "reply" ? `r${answer.body ?? ""}` : `e${JSON.stringify(answer.error)}`;
        this.#answers.add(`${reply}.a`, { text: `${number} ${text}` });
      });
    }
  }

  #sendAnswers(subject: string, answers: readonly { readonly text: string }[]): void {
    this.#connection
      .use(`answer ${subject}`, SEND_WITHIN_MS, async (client) =>
        client.publish(subject, answers.map(({ text }) => text).join("\n")),
      )
      .catch((error: unknown) => {
        if (!this.#connection.connected) return; // the caller notices the same drop, or waits for its deadline
        // Larger than NATS carries. The turn is made; the same id gets the same answer on the owner's own node.
        this.#log("error", "transport:unsendable", { subject, reason: String(error) });
        const failure: WireError = {
          code: "deadline_exceeded",
          message: "Cannot carry the reply to another node as NATS refused it",
        };
        const lines = answers.map(({ text }) => `${text.slice(0, text.indexOf(" "))} e${JSON.stringify(failure)}`);
        void this.#connection
          .use(`answer ${subject}`, SEND_WITHIN_MS, async (client) => client.publish(subject, lines.join("\n")))
          .catch(() => undefined);
      });
  }
}

function unsent(what: string, why: string): TroupeError {
  return new TroupeError("unavailable", `Cannot ${what} as ${why}`);
}

function unanswered(what: string, why: string): TroupeError {
  return new TroupeError("deadline_exceeded", `Cannot ${what}: no reply came (${why}); it may have been handled`);
}
