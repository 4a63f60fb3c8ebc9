/** Whether an acknowledged write survives a power cut, as the running servers are configured now. */
import { withConnection } from "#infra/stack/postgres.ts";
import { ask } from "#infra/stack/tcp.ts";
import type { Env } from "#infra/stack/types.ts";
import type { Finding } from "./finding.ts";
import type { KnownServers } from "./servers.ts";

/** Asks the running servers for their settings. Empty when none runs. */
export async function inspectDurability(known: KnownServers): Promise<Finding[]> {
  const findings = await Promise.all([
    known.postgres === undefined ? undefined : finding("PostgreSQL", () => postgres(known.postgres)),
    known.nats === undefined ? undefined : finding("NATS", () => nats(known.nats)),
    known.redis === undefined ? undefined : finding("Redis", () => redis(known.redis)),
    known.rabbitmq === undefined
      ? undefined
      : note("RabbitMQ", "quorum queues sync before they confirm; classic queues do not, and are not used for events"),
    known.kafka === undefined
      ? undefined
      : note(
          "Kafka",
          "acknowledged from the page cache: survives a crash of the broker; a power cut is survived by replicas, and one node has none",
        ),
    known.temporal === undefined
      ? undefined
      : note(
          "Temporal",
          "SQLite in WAL mode, synchronous=1: survives a crash of the server; a power cut may take the last moments",
        ),
  ]);
  return findings.filter((each) => each !== undefined);
}

interface Verdict {
  readonly durable: boolean;
  readonly detail: string;
  readonly fix: string;
}

async function postgres(env: Env | undefined): Promise<Verdict> {
  return withConnection(env?.["DATABASE_URL"] ?? "", async (sql) => {
    const rows = await sql<
      { name: string; setting: string }[]
    >`select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes') order by name`;
    return {
      durable: rows.every((row) => row.setting !== "off"),
      detail: rows.map((row) => `${row.name}=${row.setting}`).join(" "),
      fix: "psql -c 'alter system reset all' && restart PostgreSQL",
    };
  });
}

async function nats(env: Env | undefined): Promise<Verdict> {
  const monitor = env?.["NATS_MONITOR_URL"];
  if (monitor === undefined) throw new Error("its monitoring address is not known (NATS_MONITOR_URL)");
  const response = await fetch(`${monitor}/jsz?config=true`, { signal: AbortSignal.timeout(3_000) });
  const { config } = (await response.json()) as { config?: { sync_always?: boolean; sync_interval?: number } };
  const durable = config?.sync_always === true;
  const interval = (config?.sync_interval ?? 0) / 1e9;
  return {
    durable,
    detail: durable ? "sync_interval=always" : `sync_interval=${interval}s`,
    fix: "set jetstream { sync_interval: always } and restart nats-server",
  };
}

async function redis(env: Env | undefined): Promise<Verdict> {
  const url = new URL(env?.["REDIS_URL"] ?? "");
  const login =
    url.password === ""
      ? ""
      : `AUTH ${[url.username, url.password]
          .filter((part) => part !== "")
          .map(decodeURIComponent)
          .join(" ")}\r\n`;
  const endpoint = { host: url.hostname, port: Number(url.port || 6379), tls: url.protocol === "rediss:" };
  const setting = (name: string): Promise<string> =>
    ask(
      endpoint,
      Buffer.from(`${login}CONFIG GET ${name}\r\n`),
      (bytes) => new RegExp(`\\r\\n${name}\\r\\n\\$\\d+\\r\\n([^\\r]*)\\r\\n`).exec(bytes.toString("utf8"))?.[1],
    );
  const [appendonly, appendfsync] = await Promise.all([setting("appendonly"), setting("appendfsync")]);
  return {
    durable: appendonly === "yes" && appendfsync === "always",
    detail: `appendonly=${appendonly} appendfsync=${appendfsync}`,
    fix: "redis-cli config set appendonly yes && redis-cli config set appendfsync always",
  };
}

async function finding(name: string, look: () => Promise<Verdict>): Promise<Finding> {
  try {
    const { durable, detail, fix } = await look();
    return { area: "durability", name, status: durable ? "ok" : "bad", detail, ...(durable ? {} : { fix }) };
  } catch (error) {
    return {
      area: "durability",
      name,
      status: "off",
      detail: `cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    };
  }
}

function note(name: string, detail: string): Promise<Finding> {
  return Promise.resolve({ area: "durability", name, status: "ok", detail });
}
