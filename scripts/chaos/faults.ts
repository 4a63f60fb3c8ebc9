import { join } from "node:path";
import { pause } from "#infra/base/pause.ts";
import type { ChaosServers } from "./node.ts";
import type { Random } from "./random.ts";

/** What may happen to a node: SIGKILL, SIGSTOP for a while, SIGTERM; a new one follows the first and the last. */
export const FAULTS = ["kill", "pause", "stop"] as const;
export type Fault = (typeof FAULTS)[number];

const NODE = join(import.meta.dirname, "node.ts");
/** Longer than a lease (2.5 s) now and then: the node wakes as one that lost everything. */
const PAUSE_MS = [200, 6_000] as const;
const BETWEEN_MS = [300, 2_500] as const;
const DOWN_MS = [0, 1_500] as const;

/** The node processes of a run. */
export class Nodes implements AsyncDisposable {
  readonly #servers: ChaosServers;
  readonly #processes: Bun.Subprocess<"ignore", "pipe", "inherit">[];
  readonly counts: Record<Fault, number> = { kill: 0, pause: 0, stop: 0 };

  private constructor(servers: ChaosServers, count: number) {
    this.#servers = servers;
    this.#processes = Array.from({ length: count }, () => this.#spawn());
  }

  /** Starts `count` nodes; resolves when all of them run. */
  static async start(servers: ChaosServers, count: number): Promise<Nodes> {
    const nodes = new Nodes(servers, count);
    await Promise.all(nodes.#processes.map(untilReady));
    return nodes;
  }

  /** Lets one thing after the other happen until `signal` says so; then every node runs again. */
  async trouble(random: Random, faults: readonly Fault[], signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const at = random.whole(0, this.#processes.length - 1);
      const fault = random.pick(faults);
      const [pauseMs, downMs, restMs] = [
        random.whole(...PAUSE_MS),
        random.whole(...DOWN_MS),
        random.whole(...BETWEEN_MS),
      ];
      const process = this.#processes[at] as Bun.Subprocess<"ignore", "pipe", "inherit">;
      this.counts[fault]++;
      if (fault === "pause") {
        process.kill("SIGSTOP");
        await pause(pauseMs, signal);
        process.kill("SIGCONT");
      } else {
        process.kill(fault === "kill" ? "SIGKILL" : "SIGTERM");
        await process.exited;
        await pause(downMs, signal);
        this.#processes[at] = this.#spawn();
      }
      await pause(restMs, signal);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const process of this.#processes) process.kill("SIGKILL");
    await Promise.all(this.#processes.map((process) => process.exited));
  }

  #spawn(): Bun.Subprocess<"ignore", "pipe", "inherit"> {
    return Bun.spawn([process.execPath, NODE, JSON.stringify(this.#servers)], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "inherit",
    });
  }
}

async function untilReady(process: Bun.Subprocess<"ignore", "pipe", "inherit">): Promise<void> {
  for await (const chunk of process.stdout) if (new TextDecoder().decode(chunk).includes("ready")) return;
  throw new Error(`A node ended with ${await process.exited} before it was ready`);
}
