import { type ChildProcess, execFile, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { run } from "../stack/command.ts";
import { Ports } from "../stack/ports.ts";
import type { Launch, ProcessSpec, Recipe } from "../stack/recipe.ts";
import { RECIPES } from "../stack/recipes.ts";
import type { ServerName } from "../stack/types.ts";
import { eventually } from "./eventually.ts";

const execute = promisify(execFile);

/**
 * A server process that belongs to one test file, so that it may be killed and come back: on the same data, at the
 * same address. The servers of `testServer` are shared and must be left alone. Killed and deleted when disposed of.
 */
export class OwnBroker implements AsyncDisposable {
  readonly #recipe: Recipe;
  readonly #launch: Launch;
  readonly #folder: string;
  readonly #ports: Ports;
  #child: ChildProcess | undefined;
  /** What it needs beside it (RabbitMQ's epmd): started once, and not killed with it. */
  #helpers: ChildProcess[] | undefined;

  private constructor(recipe: Recipe, launch: Launch, folder: string, ports: Ports) {
    this.#recipe = recipe;
    this.#launch = launch;
    this.#folder = folder;
    this.#ports = ports;
  }

  /**
   * Installs the server where it has to, starts it and waits until it answers.
   * @throws {UnavailableError} it cannot be had on this machine; `fix` says how it could.
   */
  static async start(name: ServerName): Promise<OwnBroker> {
    const recipe = RECIPES[name];
    const quiet = (): void => undefined;
    const program = await recipe.obtain({ doing: quiet, waiting: quiet, run });
    const folder = await mkdtemp(join(tmpdir(), `troupe-${name}-`));
    const ports = new Ports(false);
    const launch = await program({
      dir: folder,
      id: crypto.randomUUID().slice(0, 6),
      port: (usual) => ports.pick(usual),
      run,
    });
    const broker = new OwnBroker(recipe, launch, folder, ports);
    try {
      await broker.start();
    } catch (error) {
      await broker[Symbol.asyncDispose]();
      throw error;
    }
    return broker;
  }

  get address(): string {
    return this.#launch.address;
  }

  /** The path of the server's program. */
  get program(): string {
    return this.#launch.processes.at(-1)?.command ?? "";
  }

  /** What the program was started with. */
  get args(): readonly string[] {
    return this.#launch.processes.at(-1)?.args ?? [];
  }

  /** Starts it on the data it has. Resolves when it answers. */
  async start(): Promise<void> {
    const [own, ...others] = this.#launch.processes.toReversed();
    if (own === undefined) throw new Error(`Cannot own ${this.#recipe.name} as it has no process`);
    this.#helpers ??= others.toReversed().map((spec) => this.#spawn(spec));
    const child = this.#spawn(own);
    this.#child = child;
    await eventually(`${this.#recipe.name} answers`, this.#recipe.readyWithinMs, async () => {
      if (child.exitCode !== null)
        throw new Error(
          `${this.#recipe.name} ended with ${child.exitCode}: ${(await readFile(this.#logFile, "utf8")).slice(-2_000)}`,
        );
      return this.#recipe.probe(this.#launch.env).then(
        () => true,
        () => false,
      );
    });
  }

  /**
   * Runs a tool that stands beside the server's program, in the server's environment. Resolves with what it prints.
   * @throws {Error} it failed; with what it printed.
   */
  async tool(name: string, ...args: readonly string[]): Promise<string> {
    const own = this.#launch.processes.at(-1);
    if (own === undefined) throw new Error(`Cannot run ${name} as ${this.#recipe.name} has no process`);
    const env = { ...process.env, ...own.env };
    const { stdout } = await execute(join(dirname(own.command), name), [...args], { cwd: this.#folder, env });
    return stdout;
  }

  get #logFile(): string {
    return join(this.#folder, "output.txt");
  }

  #spawn(spec: ProcessSpec): ChildProcess {
    const log = openSync(this.#logFile, "a");
    const child = spawn(spec.command, [...spec.args], {
      cwd: this.#folder,
      env: { ...process.env, ...spec.env },
      stdio: ["ignore", log, log],
      // A server may be a script that starts the real one: signals go to both.
      detached: true,
    });
    closeSync(log);
    return child;
  }

  /**
   * Ends it without a chance to tidy up. Resolves when it is gone.
   * @param signal another one than SIGKILL: SIGQUIT is the immediate stop of PostgreSQL. @default "SIGKILL"
   */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    signalGroup(child, signal);
    await gone;
  }

  /**
   * Makes it hang with its sockets open. Resolves when its last thread stands still: a signal is sent at once, but a
   * busy server may answer for a moment more.
   */
  async hang(): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    signalGroup(child, "SIGSTOP");
    await eventually(`${this.#recipe.name} stands still`, 10_000, async () => {
      // Linux shows a line per thread only with -L, macOS knows no such option and stops a process as a whole.
      const { stdout } = await execute("ps", [process.platform === "linux" ? "-eLo" : "-Ao", "pgid=,state="]);
      const states = stdout.split("\n").map((line) => line.trim().split(/\s+/));
      return states.every(([group, state]) => group !== String(child.pid) || /^[TtZX]/.test(state ?? ""));
    });
  }

  /** Lets it go on after {@link hang}. */
  resume(): void {
    if (this.#child !== undefined) signalGroup(this.#child, "SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    for (const helper of this.#helpers ?? []) signalGroup(helper, "SIGKILL");
    this.#ports[Symbol.dispose]();
    // As the bridge of a Docker engine: it is the machine's, and no process takes it along.
    await this.#launch.cleanUp?.();
    await unmountBelow(this.#folder);
    await rm(this.#folder, { recursive: true, force: true });
  }
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

/** A Docker engine that was killed leaves its mounts behind. */
async function unmountBelow(folder: string): Promise<void> {
  const mounts = await readFile("/proc/mounts", "utf8").catch(() => "");
  const below = mounts
    .split("\n")
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.startsWith(`${folder}/`))
    .sort()
    .reverse();
  for (const path of below) await execute("umount", ["-l", path]).catch(() => undefined);
}
