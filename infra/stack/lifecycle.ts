/**
 * The life of one server, from "is it there already?" to "it has stopped".
 *
 * Owns the server's processes. Does not own ports (the stack does, so that they stay the same over restarts) nor other servers.
 * L1 A server the environment names, or that the machine already runs, is checked and used; it is never started, stopped or restarted.
 * L2 `running` is reported only after the probe spoke the server's protocol while our process was alive.
 * L3 A server that ends by itself is started again with the same ports and data, until {@link ServerLife.stop}.
 * L4 After `stop()` none of its processes runs.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Child, STACK_VARIABLE, startChild } from "./child.ts";
import { type CommandOptions, run } from "./command.ts";
import { composeProgram, type Composition } from "./compose.ts";
import { foreignListener } from "./listeners.ts";
import type { Ports } from "./ports.ts";
import type { Launch, LaunchContext, ObtainContext, Program, Recipe } from "./recipe.ts";
import type { RecordedServer } from "./state-file.ts";
import {
  type Env,
  type How,
  type MissingServer,
  type Reporter,
  type RunningServer,
  type ServerState,
  UnavailableError,
} from "./types.ts";

/** What the stack gives each of its servers. */
export interface StackContext {
  readonly dataDir: string;
  readonly id: string;
  readonly ports: Ports;
  readonly report: Reporter;
  readonly composition: Composition | undefined;
  /** Called whenever processes come or go, so that the state file follows. */
  readonly changed: () => void;
}

const PORT_TAKEN = /address (?:is )?already in use|eaddrinuse|could not bind|bind: address|failed to bind/i;
const LAUNCH_ATTEMPTS = 3;
const LOG_LINES = 20;
const RESTART_PAUSES_MS = [0, 500, 1_000, 2_000, 5_000, 10_000];

/** Somebody else listens where our server should. */
class PortTakenError extends Error {
  override readonly name = "PortTakenError";
}

/** One server of a stack. */
export class ServerLife {
  readonly recipe: Recipe;
  readonly logFile: string;
  readonly #stack: StackContext;
  readonly #dir: string;
  #children: Child[] = [];
  #launch: Launch | undefined;
  #how: How = "native";
  #picked: number[] = [];
  #state: ServerState = { kind: "pending" };
  #stopping = false;
  #started: Promise<void> = Promise.resolve();
  #restarting: Promise<void> = Promise.resolve();
  #afterwards: Promise<void> = Promise.resolve();
  readonly #stopped = new AbortController();

  constructor(recipe: Recipe, stack: StackContext) {
    this.recipe = recipe;
    this.#stack = stack;
    this.#dir = join(stack.dataDir, recipe.name);
    this.logFile = join(stack.dataDir, "logs", `${recipe.name}.log`);
  }

  /** Brings the server up. Never rejects: what went wrong is in the state, and answered. */
  start(): Promise<RunningServer | MissingServer> {
    const outcome = this.#start();
    this.#started = outcome.then(() => undefined);
    return outcome;
  }

  async #start(): Promise<RunningServer | MissingServer> {
    try {
      const found = await this.#find();
      if (found !== undefined) return this.#running(found.how, found.env[this.recipe.variable] ?? "", found.env);
      const composed = this.#stack.composition?.has(this.recipe.name) === true;
      const program = composed
        ? composeProgram(this.recipe, this.#stack.composition)
        : await this.recipe.obtain(this.#obtaining());
      const launch = await this.#launchWith(program, composed ? "compose" : "native");
      const running = this.#running(this.#how, launch.address, launch.env);
      if (!composed) this.#afterwards = this.#prepareNext();
      return running;
    } catch (error) {
      const log = this.#children.at(-1)?.tail(LOG_LINES) ?? [];
      await this.#endChildren();
      if (this.#stopping) {
        this.#change({ kind: "stopped" });
        return { server: this.recipe.name, reason: "The stack was stopped before it was up", fix: "bun run dev" };
      }
      if (error instanceof UnavailableError) return this.#missing(error.message, error.fix, log);
      return this.#missing(messageOf(error), `tail -n 100 ${this.logFile}`, log);
    }
  }

  /** Stops the server if the stack started it. Safe to call at any time, also while it starts. */
  async stop(): Promise<void> {
    this.#stopping = true;
    this.#stopped.abort(new Error("The stack is stopping"));
    await this.#afterwards;
    // A start notices within moments; an installation is not waited for, it has nothing of ours running yet.
    if (this.#state.kind === "starting") await this.#started;
    if (this.#children.length === 0 && this.#launch === undefined) return;
    this.#change({ kind: "stopping" });
    await this.#endChildren();
    await this.#restarting;
    this.#change({ kind: "stopped" });
  }

  /** Never rejects: what it would have won is lost, and nothing else. */
  async #prepareNext(): Promise<void> {
    const silent: ObtainContext = {
      doing: () => undefined,
      waiting: () => undefined,
      signal: this.#stopped.signal,
      run: (command, args, options) => this.#run(command, args, { ...options, signal: this.#stopped.signal }),
    };
    await this.recipe.afterwards?.(silent).catch(() => undefined);
  }

  /** What the state file says of it; undefined while it is not there and has no processes. */
  record(): RecordedServer | undefined {
    const processes = this.#children.filter((child) => child.outcome() === undefined).map((child) => child.mark);
    const up = this.#state.kind === "running" ? this.#state.address : undefined;
    if (up === undefined && processes.length === 0) return undefined;
    const env = this.#state.kind === "running" ? this.#env : {};
    return { name: this.recipe.name, how: this.#how, address: up ?? "", env, processes, logFile: this.logFile };
  }

  #env: Readonly<Env> = {};

  /** Lifecycle.L1 */
  async #find(): Promise<{ how: How; env: Env } | undefined> {
    const named = process.env[this.recipe.variable];
    if (named !== undefined && named !== "") {
      const env: Env = { [this.recipe.variable]: named };
      for (const [key, fallback] of Object.entries(this.recipe.companions ?? {})) {
        const value = process.env[key] ?? fallback;
        if (value !== undefined) env[key] = value;
      }
      this.#change({ kind: "starting", how: "address" });
      try {
        await this.#untilReady(env, 10_000);
      } catch (error) {
        throw new UnavailableError(
          `${this.recipe.variable} names a server that does not answer: ${messageOf(error)}`,
          `unset ${this.recipe.variable}`,
          { cause: error },
        );
      }
      return { how: "address", env };
    }
    const env = await this.recipe.discover?.();
    return env === undefined ? undefined : { how: "socket", env };
  }

  async #launchWith(program: Program, how: How): Promise<Launch> {
    this.#how = how;
    mkdirSync(this.#dir, { recursive: true });
    for (let attempt = 1; ; attempt++) {
      if (this.#stopping) throw new Error("The stack is stopping");
      this.#change({ kind: "starting", how });
      this.#picked = [];
      const launch = await program(this.#launching());
      this.#launch = launch;
      try {
        await this.#bringUp(launch);
        return launch;
      } catch (error) {
        const log = this.#children.at(-1)?.tail(LOG_LINES) ?? [];
        // Another program took a port between our look and the server's: choose again.
        const taken = error instanceof PortTakenError || PORT_TAKEN.test(log.join("\n"));
        if (attempt === LAUNCH_ATTEMPTS || this.#stopping || !taken) throw error;
        await this.#endChildren();
      }
    }
  }

  /** Lifecycle.L2 */
  async #bringUp(launch: Launch): Promise<void> {
    this.#children = [];
    for (const spec of launch.processes) {
      if (this.#stopping) throw new Error("The stack is stopping");
      this.#children.push(await startChild(spec, this.logFile, this.#stack.dataDir));
      this.#stack.changed();
    }
    await this.#untilReady(launch.env, this.recipe.readyWithinMs);
    const server = this.#children.at(-1);
    void server?.ended.then((outcome) => {
      if (!this.#stopping && this.#children.at(-1) === server) this.#restarting = this.#restart(launch, outcome);
    });
  }

  async #untilReady(env: Readonly<Env>, withinMs: number): Promise<void> {
    const deadline = Date.now() + withinMs;
    let last: unknown;
    while (Date.now() < deadline) {
      if (this.#stopping) throw new Error("The stack is stopping");
      const ended = this.#children.find((child) => child.outcome() !== undefined);
      if (ended !== undefined) throw new Error(`${this.recipe.title} ended while it started: ${ended.outcome()}`);
      try {
        await this.recipe.probe(env);
        this.#checkListeners();
        return;
      } catch (error) {
        if (error instanceof PortTakenError) throw error;
        last = error;
      }
      await delay(50);
    }
    throw new Error(`${this.recipe.title} did not answer within ${withinMs / 1000} s: ${messageOf(last)}`, {
      cause: last,
    });
  }

  /** Lifecycle.L2: an answer counts only if it came from our processes. */
  #checkListeners(): void {
    if (this.#children.length === 0) return;
    const port = foreignListener(
      this.#picked,
      this.#children.map((child) => child.mark.pid),
    );
    if (port !== undefined)
      throw new PortTakenError(`Port ${port} was taken by another program while ${this.recipe.title} started`);
  }

  /** Lifecycle.L3 */
  async #restart(launch: Launch, outcome: string): Promise<void> {
    for (let attempt = 0; !this.#stopping; attempt++) {
      this.#change({ kind: "restarting", reason: outcome });
      await delay(RESTART_PAUSES_MS[Math.min(attempt, RESTART_PAUSES_MS.length - 1)]);
      try {
        for (const child of this.#children) await child.stop(this.recipe.stop.signal, this.recipe.stop.withinMs);
        await this.#bringUp(launch);
        this.#running(this.#how, launch.address, launch.env);
        return;
      } catch {
        // The next round says it again; the log has the reason.
      }
    }
    await this.#endChildren();
  }

  /** Lifecycle.L4 */
  async #endChildren(): Promise<void> {
    const { signal, withinMs } = this.recipe.stop;
    for (const child of this.#children.toReversed()) await child.stop(signal, withinMs);
    this.#children = [];
    await this.#launch?.cleanUp?.().catch(() => undefined);
    this.#launch = undefined;
    this.#stack.changed();
  }

  #running(how: How, address: string, env: Readonly<Env>): RunningServer {
    this.#how = how;
    this.#env = env;
    const pid = (): number | undefined => this.#children.at(-1)?.mark.pid;
    this.#change({ kind: "running", how, address, pid: pid() });
    const logFile = existsSync(this.logFile) ? this.logFile : undefined;
    return {
      name: this.recipe.name,
      how,
      address,
      env,
      logFile,
      get pid() {
        return pid();
      },
    };
  }

  #missing(reason: string, fix: string, log: readonly string[]): MissingServer {
    this.#change({ kind: "missing", reason, fix, log });
    return { server: this.recipe.name, reason, fix };
  }

  #change(state: ServerState): void {
    this.#state = state;
    this.#stack.report({ server: this.recipe.name, state });
    this.#stack.changed();
  }

  /** Marked like a server, so that an installation whose owner was killed is ended by the next start. */
  #run(command: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
    return run(command, args, {
      logFile: this.logFile,
      ...options,
      env: { [STACK_VARIABLE]: this.#stack.dataDir, ...options.env },
    });
  }

  #obtaining(): ObtainContext {
    return {
      doing: (what, progress) =>
        this.#change({ kind: "obtaining", what, ...(progress === undefined ? {} : { progress }) }),
      waiting: (reason) => this.#change({ kind: "waiting", reason }),
      run: (command, args, options) => this.#run(command, args, options),
    };
  }

  #launching(): LaunchContext {
    return {
      dir: this.#dir,
      id: this.#stack.id,
      port: async (usual) => {
        const port = await this.#stack.ports.pick(usual);
        this.#picked.push(port);
        return port;
      },
      run: (command, args, options) => this.#run(command, args, options),
    };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
