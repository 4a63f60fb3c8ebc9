import { join } from "node:path";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { removeStream } from "../e2e/nats-events.ts";
import { type Measured, percentiles } from "./measure.ts";
import type { BenchOptions } from "./options.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import type { Command, Result } from "./socket-messages.ts";

/** `topics` are dealt to the sockets in turn; each broadcast reaches `sockets / topics` of them. */
interface Load {
  readonly name: string;
  readonly sockets: number;
  readonly topics: number;
  readonly rate: number;
}

const LOADS: readonly Load[] = [
  { name: "1,000 broadcasts/s to one of 1,000 sockets each", sockets: 1_000, topics: 1_000, rate: 1_000 },
  { name: "20 broadcasts/s to each of 1,000 sockets", sockets: 1_000, topics: 1, rate: 20 },
];
const WARM_UP_SECONDS = 2;
const SECONDS = 8;
const IDLE = { short: 1_000, full: 10_000 };

type Mode = "troupe" | "plain";

/** From the durable reply of a turn to its message at the client, and what an idle socket costs. */
export async function* sockets({ full }: BenchOptions): AsyncGenerator<BenchCase> {
  const name = "Bun publish, nothing stored";
  for (const load of LOADS) {
    progress(`sockets: ${load.name}, then the same without a store (${WARM_UP_SECONDS + SECONDS} s each)`);
    const measured = await latency("troupe", load);
    yield { bench: "sockets", case: load.name, measured, baseline: { name, ...(await latency("plain", load)) } };
  }
  const count = full ? IDLE.full : IDLE.short;
  progress(`sockets: ${count} idle ones`);
  const [own, other] = [await idle("troupe", count), await idle("plain", count)];
  const title = `${count} idle sockets opened; ${own.kbEach.toFixed(1)} KB each, Bun's alone ${other.kbEach.toFixed(1)} KB`;
  yield { bench: "sockets", case: title, measured: own.measured, baseline: { name, ...other.measured } };
}

async function latency(mode: Mode, { sockets: count, topics, rate }: Load): Promise<Measured> {
  await using pair = await Pair.start(mode);
  await pair.open(count, topics);
  const uncounted = rate * WARM_UP_SECONDS;
  const each = count / topics;
  await pair.feed(0, rate, WARM_UP_SECONDS, topics);
  await pair.heard(0, uncounted * each);
  const durable = new Map(await pair.feed(uncounted, rate, SECONDS, topics));
  const heard = await pair.heard(uncounted, rate * SECONDS * each);
  const latencies = heard.map(([n, at]) => at - (durable.get(n) ?? Number.NaN));
  const arrivals = heard.map(([, at]) => at).sort((a, b) => a - b);
  const seconds = ((arrivals.at(-1) ?? 0) - (arrivals[0] ?? 0)) / 1_000;
  return { opsPerSecond: heard.length / seconds, ...percentiles(latencies), rssMb: await pair.rss() };
}

async function idle(mode: Mode, count: number): Promise<{ readonly measured: Measured; readonly kbEach: number }> {
  await using pair = await Pair.start(mode);
  await pair.open(100, 100); // what the first sockets bring into memory is nobody's share
  const before = await pair.rss();
  const startedAt = performance.now();
  await pair.open(count, count);
  const ms = performance.now() - startedAt;
  const after = await pair.rss();
  const measured = { opsPerSecond: (count / ms) * 1_000, p50Ms: ms / count, p99Ms: ms / count, rssMb: after };
  return { measured, kbEach: ((after - before) * 1_024) / count };
}

/** A server and its clients, each a process of its own. */
class Pair implements AsyncDisposable {
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

  static async start(mode: Mode): Promise<Pair> {
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
    return new Pair(server, clients, port, made.move());
  }

  async open(count: number, topics: number): Promise<void> {
    await this.#clients.ask({ kind: "open", port: this.#port, sockets: count, topics }, "open");
  }

  async feed(
    from: number,
    rate: number,
    seconds: number,
    topics: number,
  ): Promise<readonly (readonly [number, number])[]> {
    return (await this.#server.ask({ kind: "feed", from, rate, seconds, topics }, "fed")).times;
  }

  async heard(from: number, count: number): Promise<readonly (readonly [number, number])[]> {
    return (await this.#clients.ask({ kind: "heard", from, count }, "heard")).times;
  }

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
