import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ports } from "../stack/ports.ts";
import { eventually } from "./eventually.ts";

/** What a server is started with. */
export interface ServerLaunch {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves when the server answers; asked again until then. */
  ready(): Promise<unknown>;
}

/**
 * A server with settings of a test's own, as no recipe makes it: in a folder of its own, on free ports. Killed and deleted when
 * disposed of.
 */
export class ChildServer implements AsyncDisposable {
  readonly #end: () => Promise<void>;

  private constructor(end: () => Promise<void>) {
    this.#end = end;
  }

  /**
   * @param plan writes the settings into the folder and says how to start; `port` picks a free one.
   * @throws {Error} it has ended, or did not answer within `withinMs`; with its output.
   */
  static async start(
    plan: (folder: string, port: () => Promise<number>) => Promise<ServerLaunch>,
    withinMs = 60_000,
  ): Promise<ChildServer> {
    const folder = await mkdtemp(join(tmpdir(), "troupe-server-"));
    const ports = new Ports(false);
    const { command, args, env, ready } = await plan(folder, () => ports.pick(0));
    const output = join(folder, "output.txt");
    const log = openSync(output, "a");
    const child = spawn(command, [...args], {
      cwd: folder,
      env: { ...process.env, ...env },
      stdio: ["ignore", log, log],
      detached: true,
    });
    closeSync(log);
    const gone = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    const server = new ChildServer(async () => {
      try {
        // A server may be a script that starts the real one.
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
        await gone;
      } catch {
        // It has ended before.
      }
      ports[Symbol.dispose]();
      await rm(folder, { recursive: true, force: true });
    });
    try {
      await eventually(`${command} answers`, withinMs, async () => {
        if (child.exitCode !== null) throw new Error(`${command} ended with ${child.exitCode}`);
        return ready().then(
          () => true,
          () => false,
        );
      });
      return server;
    } catch (error) {
      const said = (await readFile(output, "utf8").catch(() => "")).slice(-2_000);
      await server[Symbol.asyncDispose]();
      throw new Error(`${error instanceof Error ? error.message : String(error)}: ${said}`, { cause: error });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#end();
  }
}
