import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";

/** A worker that answers at `url` until it is disposed of. */
export interface RunningWorker extends AsyncDisposable {
  readonly url: string;
}

/** A class of Durable Objects that a worker exports, bound to `ACTORS`. */
export interface ObjectClass {
  readonly className: string;
  /** Where the objects are stored. */
  readonly disk: string;
  /** Texts of the environment. */
  readonly vars?: Readonly<Record<string, string>>;
}

/**
 * Serves one bundled worker, without any Node compatibility, on a port of the loopback interface.
 * @param port 0: a free one.
 * @throws {Error} the server ended before it listened; the message holds what it had to say.
 */
export async function serveWorker(
  workerd: string,
  bundle: string,
  { objects, port = 0 }: { readonly objects?: ObjectClass; readonly port?: number } = {},
): Promise<RunningWorker> {
  const name = bundle.slice(dirname(bundle).length + 1);
  const config = join(dirname(bundle), `${name}.capnp`);
  await writeFile(config, configOf(name, port, objects));
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

function configOf(bundle: string, port: number, objects: ObjectClass | undefined): string {
  const services = [`(name = "suite", worker = .suite)`];
  let more = "";
  if (objects !== undefined) {
    const { className, disk, vars = {} } = objects;
    services.push(
      `(name = "disk", disk = (path = ${JSON.stringify(disk)}, writable = true))`,
      `(name = "internet", network = (allow = ["private", "public"]))`,
    );
    const bindings = [
      `(name = "ACTORS", durableObjectNamespace = "${className}")`,
      ...Object.entries(vars).map(([key, text]) => `(name = "${key}", text = ${JSON.stringify(text)})`),
    ];
    more = `  durableObjectNamespaces = [(className = "${className}", uniqueKey = "objects", enableSql = true)],
  durableObjectStorage = (localDisk = "disk"),
  bindings = [${bindings.join(", ")}],
`;
  }
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [${services.join(", ")}],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "suite")]
);
const suite :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "${bundle}")],
  compatibilityDate = "2026-01-01",
${more});
`;
}
