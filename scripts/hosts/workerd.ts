import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** A worker that answers at `url` until it is disposed of. */
export interface RunningWorker extends AsyncDisposable {
  readonly url: string;
}

/**
 * Serves one bundled worker, without any Node compatibility, on a free port of the loopback interface.
 * @throws {Error} the server ended before it listened; the message holds what it had to say.
 */
export async function serveWorker(workerd: string, bundle: string): Promise<RunningWorker> {
  const config = join(dirname(bundle), "workerd.capnp");
  await writeFile(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "suite", worker = .suite)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "suite")]
);
const suite :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "${bundle.slice(dirname(bundle).length + 1)}")],
  compatibilityDate = "2026-01-01"
);
`,
  );
  // Its control messages, the port among them, come on standard output.
  const child = spawn(workerd, ["serve", config, "--control-fd=1"], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")));
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as { event: string; port?: number };
    if (message.event !== "listen") continue;
    return {
      url: `http://127.0.0.1:${message.port}/`,
      [Symbol.asyncDispose]: async () => {
        child.kill("SIGKILL");
        await ended;
      },
    };
  }
  throw new Error(`Cannot serve ${bundle} with workerd: ${said.trim()}`);
}
