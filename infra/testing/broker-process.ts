/**
 * Broker processes that belong to one test, so that it may kill them. Data stays in their folder over restarts; the
 * port stays the same, as clients must find them again.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How a broker is started and recognised as ready. */
export interface BrokerRecipe {
  readonly name: string;
  /** Writes configuration into the folder; runs once. Resolves with the command line. */
  readonly prepare: (folder: string) => Promise<{ readonly address: string; readonly command: readonly [string, ...string[]] }>;
  /** Resolves with whether it answers. */
  readonly ready: (address: string) => Promise<boolean>;
}

/** A broker of the test's own. Stopped and deleted when disposed of. */
export class BrokerProcess implements AsyncDisposable {
  readonly address: string;
  readonly folder: string;
  readonly #recipe: BrokerRecipe;
  readonly #command: readonly [string, ...string[]];
  #child: ChildProcess | undefined;

  private constructor(recipe: BrokerRecipe, folder: string, address: string, command: readonly [string, ...string[]]) {
    this.#recipe = recipe;
    this.folder = folder;
    this.address = address;
    this.#command = command;
  }

  /** @throws {Error} it did not answer within 60 s; the message holds the end of its log. */
  static async start(recipe: BrokerRecipe): Promise<BrokerProcess> {
    const folder = await mkdtemp(join(tmpdir(), `troupe-${recipe.name}-`));
    const { address, command } = await recipe.prepare(folder);
    const broker = new BrokerProcess(recipe, folder, address, command);
    await broker.start();
    return broker;
  }

  /** Starts it again on the same data. */
  async start(): Promise<void> {
    const log = openSync(join(this.folder, "log"), "a");
    const [command, ...args] = this.#command;
    const child = spawn(command, args, { cwd: this.folder, stdio: ["ignore", log, log] });
    closeSync(log);
    this.#child = child;
    try {
      await eventually(`${this.#recipe.name} answers`, 60_000, async () => {
        if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`);
        return this.#recipe.ready(this.address);
      });
    } catch (error) {
      const text = await readFile(join(this.folder, "log"), "utf8");
      await this[Symbol.asyncDispose]();
      throw new Error(`Cannot start ${this.#recipe.name}: ${String(error)}\n${text.slice(-2_000)}`, { cause: error });
    }
  }

  /** Ends it without a chance to tidy up. Resolves when it is gone. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.kill(signal);
    await gone;
  }

  /** `SIGSTOP` makes it hang, `SIGCONT` goes on. */
  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#child?.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

/**
 * Asks again until the answer is not `undefined` or `false`.
 * @throws {Error} not within `withinMs`.
 */
export async function eventually<T>(what: string, withinMs: number, ask: () => Promise<T | undefined | false>): Promise<T> {
  const end = performance.now() + withinMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > end) throw new Error(`Waited ${withinMs} ms in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Ports nobody listens on now. They are held together until all are chosen, so that they differ. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once("error", reject);
          server.listen(0, "127.0.0.1", () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => (server.address() as { readonly port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
