/** Redis: the event streams that `notification` reads. */
import { run, which } from "./command.ts";
import { installCommand, programOrPackage } from "./packages.ts";
import type { Recipe } from "./recipe.ts";
import { ask } from "./tcp.ts";
import { UnavailableError } from "./types.ts";

const OLDEST_MAJOR = 7;

/** Redis, or Valkey, which speaks the same protocol. */
export const redisRecipe: Recipe = {
  name: "redis",
  title: "Redis",
  variable: "REDIS_URL",
  readyWithinMs: 30_000,
  stop: { signal: "SIGTERM", withinMs: 10_000 },
  compose: { ports: { REDIS_PORT: 6379 }, env: (ports) => ({ REDIS_URL: `redis://127.0.0.1:${ports["REDIS_PORT"]}` }) },

  async obtain(context) {
    const source = { program: "redis-server", folders: ["/opt/homebrew/bin"], apt: "redis-server", brew: "redis" };
    const command = which("valkey-server") ?? (await programOrPackage(context, source));
    const version = await versionOf(command);
    if (Number(version.split(".")[0]) < OLDEST_MAJOR)
      throw new UnavailableError(
        `Redis ${version} is too old: ${OLDEST_MAJOR} or newer is needed`,
        installCommand(source),
      );
    return async (place) => {
      const port = await place.port(6379);
      const address = `redis://127.0.0.1:${port}`;
      const args = [
        ...["--port", String(port), "--bind", "127.0.0.1", "--dir", place.dir, "--daemonize", "no"],
        // Every write is on disk before it is acknowledged; the append-only file alone is enough to recover from.
        ...["--appendonly", "yes", "--appendfsync", "always", "--save", ""],
        ...["--maxmemory-policy", "noeviction"],
      ];
      return { processes: [{ command, args }], address, env: { REDIS_URL: address } };
    };
  },

  async probe(env) {
    const url = new URL(env["REDIS_URL"] ?? "");
    const credentials = [url.username, url.password].filter((part) => part !== "").map(decodeURIComponent);
    const login = url.password === "" ? "" : `AUTH ${credentials.join(" ")}\r\n`;
    const answer = await ask(
      { host: url.hostname, port: Number(url.port || 6379), tls: url.protocol === "rediss:" },
      Buffer.from(`${login}PING\r\n`),
      (bytes) => {
        const text = bytes.toString("utf8");
        return /(\+PONG|^-.*)\r\n/m.test(text) ? text : undefined;
      },
    );
    if (!answer.includes("+PONG")) throw new Error(answer.trim());
  },
};

/** The version a `redis-server` reports; `0` when it reports none. */
export async function versionOf(command: string): Promise<string> {
  const output = await run(command, ["--version"], { withinMs: 10_000 }).catch(() => "");
  return /v=(\d+\.\d+\.\d+)/.exec(output)?.[1] ?? "0";
}
