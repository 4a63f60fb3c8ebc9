/**
 * How one server is described. Each server has one file that exports one {@link Recipe}; `lifecycle.ts` runs it.
 * A recipe knows its server and nothing of the others, of progress display, or of who owns the processes.
 */
import type { CommandOptions } from "./command.ts";
import type { Env, ServerName } from "./types.ts";

/** What a recipe may use while it finds or installs its server. */
export interface ObtainContext {
  /** Says what is being done, and how far it is (`12 of 44 MB`); shown with the time since `what` was first said. */
  doing(what: string, progress?: string): void;
  /** Says what holds it up. */
  waiting(reason: string): void;
  /** Aborted when nobody needs the outcome any more: waits end with its reason. */
  readonly signal?: AbortSignal;
  /** Runs a command with its output in the server's log; throws `CommandError` when it fails. */
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

/** Where a server may put things, and the ports it gets. */
export interface LaunchContext {
  /** A folder of this server's own; exists. */
  readonly dir: string;
  /** Short and stable per data folder, e.g. `3f9a01`: for names the whole machine shares (bridges, sockets). */
  readonly id: string;
  /** A free loopback port, `usual` when that is free and wanted. Held for the life of the stack. */
  port(usual: number): Promise<number>;
  run(command: string, args: readonly string[], options?: CommandOptions): Promise<string>;
}

/** One process to start. The last process of a launch is the server; those before it are its helpers. */
export interface ProcessSpec {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Env>;
  readonly cwd?: string;
}

/** What to start, and what it will provide once its probe succeeds. */
export interface Launch {
  readonly processes: readonly ProcessSpec[];
  readonly address: string;
  readonly env: Readonly<Env>;
  /** Undoes what lies outside the data folder (a network bridge); also run when the start failed. */
  readonly cleanUp?: () => Promise<void>;
}

/** An obtained server: prepares a data folder and says what to start. May be called again with other ports. */
export type Program = (context: LaunchContext) => Promise<Launch>;

/** One server: how to find it, obtain it, start it, know that it is ready, stop it. */
export interface Recipe {
  readonly name: ServerName;
  /** For people: `PostgreSQL 18`. */
  readonly title: string;
  /** The variable that names it; when the environment has it, the server is used as it is. */
  readonly variable: string;
  /** Further variables, taken from the environment beside {@link variable}, with their defaults. */
  readonly companions?: Readonly<Record<string, string | undefined>>;
  /** Finds one that already runs on this machine for everybody; undefined when there is none. */
  discover?(): Promise<Env | undefined>;
  /** Finds or installs the program; throws `UnavailableError` when it cannot be had. */
  obtain(context: ObtainContext): Promise<Program>;
  /**
   * What makes the next start faster and this one need not wait for. Begins when the server runs; its commands are killed when the stack
   * stops. A failure is nobody's business.
   */
  afterwards?(context: ObtainContext): Promise<void>;
  /** Speaks the server's protocol once; throws while it is not ready. Takes at most a few seconds. */
  probe(env: Readonly<Env>): Promise<void>;
  readonly readyWithinMs: number;
  readonly stop: { readonly signal: NodeJS.Signals; readonly withinMs: number };
  /** Its container in compose.yaml; absent when it makes no sense in one. */
  readonly compose?: {
    readonly ports: Readonly<Record<string, number>>;
    env(ports: Readonly<Record<string, number>>): Env;
  };
}
