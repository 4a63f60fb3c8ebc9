import { join } from "node:path";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { removeStream } from "../e2e/nats-events.ts";
import type { Command, Result } from "./socket-messages.ts";

/** `troupe`: broadcasts of durable turns; `plain`: Bun's own publish, nothing stored. */
export type SocketMode = "troupe" | "plain";

/** A server with sockets and its clients, each a process of its own. */
export class SocketPair implements AsyncDisposable {
  readonly #server: Child;
  readonly #clients: Child;
  readonly #port: number;
  readonly #resources: AsyncDisposableStack;

  private constructor(server: Child, clients: Child, port: number, resources: AsyncDisposableStack) {
    this.#server = server;
    this.#clients = clients;
    this.#port = port;
    this.#resources = resources;
  }

  static async start(mode: SocketMode): Promise<SocketPair> {
    const name = `b${crypto.randomUUID().replaceAll("-", "").slice(0, 10)}`;
    await using made = new AsyncDisposableStack();
    const environment: Record<string, string> = {};
    if (mode === "troupe") {
      environment["DATABASE_URL"] = made.use(await testDatabase("bench_sockets")).url;
      const nats = (environment["NATS_URL"] = await testServer("nats"));
      made.defer(() => removeStream(nats, `TOPICS-${name}`).catch(() => undefined));
    }
    const server = made.use(new Child("socket-server.ts", [mode, name], environment));
    const clients = made.use(new Child("socket-clients.ts", [], {}));
    const { port } = await server.next("listening");
    return new SocketPair(server, clients, port, made.move());
  }

  /** The process ids of both, by what they are. */
  get processes(): Readonly<Record<string, number>> {
    return { server: this.#server.pid, clients: this.#clients.pid };
  }

  /** Opens further sockets, dealt to the topics in turn. */
  async open(count: number, topics: number): Promise<void> {
    await this.#clients.ask({ kind: "open", port: this.#port, sockets: count, topics }, "open");
  }

  /** Broadcasts numbered from `from`, evenly. Resolves with when each was durable. */
  async feed(
    from: number,
    rate: number,
    seconds: number,
    topics: number,
  ): Promise<readonly (readonly [number, number])[]> {
    return (await this.#server.ask({ kind: "feed", from, rate, seconds, topics }, "fed")).times;
  }

  /** As {@link feed}, from so many callers, each as fast as it can. */
  async drive(
    from: number,
    callers: number,
    seconds: number,
    topics: number,
  ): Promise<readonly (readonly [number, number])[]> {
    return (await this.#server.ask({ kind: "drive", from, callers, seconds, topics }, "fed")).times;
  }

  /** Resolves with when each of so many messages, numbered from `from`, was heard. */
  async heard(from: number, count: number): Promise<readonly (readonly [number, number])[]> {
    return (await this.#clients.ask({ kind: "heard", from, count }, "heard")).times;
  }

  /** The memory of the server, in megabytes. */
  async rss(): Promise<number> {
    return (await this.#server.ask({ kind: "rss" }, "rss")).rssMb;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#resources.disposeAsync();
  }
}

type ResultOf<K extends Result["kind"]> = Extract<Result, { readonly kind: K }>;

/** A process that is asked one thing at a time. */
class Child implements AsyncDisposable {
  readonly #process: Bun.Subprocess;
  #waiting: { readonly kind: string; resolve(result: Result): void; reject(error: Error): void } | undefined;
  #early: Result[] = [];

  constructor(file: string, args: readonly string[], environment: Readonly<Record<string, string>>) {
    this.#process = Bun.spawn([process.execPath, join(import.meta.dirname, file), ...args], {
      env: { ...process.env, ...environment },
      stdout: "inherit",
      stderr: "inherit",
      ipc: (result: Result) => this.#hear(result),
    });
    void this.#process.exited.then((code) => this.#waiting?.reject(new Error(`${file} ended with ${code}`)));
  }

  get pid(): number {
    return this.#process.pid;
  }

  next<K extends Result["kind"]>(kind: K): Promise<ResultOf<K>> {
    const { promise, resolve, reject } = Promise.withResolvers<Result>();
    this.#waiting = { kind, resolve, reject };
    for (const result of this.#early.splice(0)) this.#hear(result);
    return promise as Promise<ResultOf<K>>;
  }

  ask<K extends Result["kind"]>(command: Command, kind: K): Promise<ResultOf<K>> {
    const answer = this.next(kind);
    this.#process.send(command);
    return answer;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill("SIGKILL");
    await this.#process.exited;
  }

  #hear(result: Result): void {
    if (this.#waiting?.kind === result.kind) this.#waiting.resolve(result);
    else this.#early.push(result);
  }
}
