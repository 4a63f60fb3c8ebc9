import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { within } from "#infra/base/deadline.ts";
/** RabbitMQ: the exchange and queues of the gateway and of `invoice`. */
import { Client } from "../rabbitmq/client.ts";
import { which } from "./command.ts";
import { installCommand, programOrPackage } from "./packages.ts";
import type { LaunchContext, ProcessSpec, Recipe } from "./recipe.ts";
import { type Env, UnavailableError } from "./types.ts";

/**
 * The scripts themselves come first: as root, Debian's `/usr/sbin/rabbitmq-server` changes to the user `rabbitmq`, who cannot write into the
 * data folder.
 */
export const RABBITMQ_FOLDERS = [
  "/usr/lib/rabbitmq/bin",
  "/opt/homebrew/opt/rabbitmq/sbin",
  "/usr/local/opt/rabbitmq/sbin",
];
const ERLANG_FOLDERS = ["/usr/lib/erlang", "/opt/homebrew/lib/erlang", "/usr/local/lib/erlang"];

/** RabbitMQ. */
export const rabbitmqRecipe: Recipe = {
  name: "rabbitmq",
  title: "RabbitMQ",
  variable: "RABBITMQ_URL",
  readyWithinMs: 90_000,
  stop: { signal: "SIGTERM", withinMs: 20_000 },
  compose: { ports: { RABBITMQ_PORT: 5672 }, env: (ports) => ({ RABBITMQ_URL: urlAt(ports["RABBITMQ_PORT"]) }) },

  async obtain(context) {
    const source = { program: "rabbitmq-server", folders: RABBITMQ_FOLDERS, apt: "rabbitmq-server", brew: "rabbitmq" };
    const found = await programOrPackage(context, source);
    const command =
      RABBITMQ_FOLDERS.map((folder) => join(folder, "rabbitmq-server")).find((path) => existsSync(path)) ?? found;
    const epmd = epmdCommand();
    if (epmd === undefined)
      throw new UnavailableError(
        "RabbitMQ is here, but Erlang's epmd is not",
        installCommand({ apt: "erlang-base", brew: "erlang" }),
      );
    return async (place) => {
      const port = await place.port(5672);
      const address = urlAt(port);
      return { processes: await processes(place, port, command, epmd), address, env: { RABBITMQ_URL: address } };
    };
  },

  async probe(env) {
    const client = new Client(env["RABBITMQ_URL"] ?? "", undefined, null);
    const late = (): Error => new Error("RabbitMQ accepted the connection but did not finish the handshake");
    try {
      await within(3_000, client.connect(), late);
    } finally {
      await client.close().catch(() => undefined);
    }
  },
};

function urlAt(port: number | undefined): string {
  return `amqp://guest:guest@127.0.0.1:${port}`;
}

/** The broker and an epmd of its own: the one it would start by itself outlives it and is shared by the whole machine. */
async function processes(place: LaunchContext, port: number, command: string, epmd: string): Promise<ProcessSpec[]> {
  const epmdPort = String(await place.port(4369));
  const config = join(place.dir, "rabbitmq.conf");
  const plugins = join(place.dir, "enabled_plugins");
  mkdirSync(join(place.dir, "log"), { recursive: true });
  writeFileSync(plugins, "[].\n");
  writeFileSync(
    config,
    [
      `listeners.tcp.1 = 127.0.0.1:${port}`,
      "log.console = true",
      "log.console.level = warning",
      "log.file = false",
      "vm_memory_high_watermark.relative = 0.2",
      "disk_free_limit.absolute = 64MB",
      "",
    ].join("\n"),
  );
  const env: Env = {
    HOME: place.dir, // The cookie is kept there.
    ERL_EPMD_PORT: epmdPort,
    ERL_EPMD_ADDRESS: "127.0.0.1",
    RABBITMQ_NODENAME: "troupe@localhost",
    RABBITMQ_DIST_PORT: String(await place.port(25_672)),
    RABBITMQ_CONFIG_FILE: config,
    RABBITMQ_CONF_ENV_FILE: join(place.dir, "none"), // The machine's own settings must not leak in.
    RABBITMQ_ENABLED_PLUGINS_FILE: plugins,
    RABBITMQ_MNESIA_BASE: join(place.dir, "data"),
    RABBITMQ_LOG_BASE: join(place.dir, "log"),
    // Schedulers that spin while idle would take a core of a small machine.
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: "+sbwt none +sbwtdcpu none +sbwtdio none",
  };
  return [
    { command: epmd, args: ["-port", epmdPort, "-address", "127.0.0.1"], env },
    { command, args: [], env, cwd: place.dir },
  ];
}

function epmdCommand(): string | undefined {
  const onPath = which("epmd");
  if (onPath !== undefined) return onPath;
  const releases = ERLANG_FOLDERS.flatMap((folder) =>
    list(folder)
      .filter((name) => name.startsWith("erts-"))
      .map((name) => join(folder, name, "bin")),
  );
  return which("epmd", releases);
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
