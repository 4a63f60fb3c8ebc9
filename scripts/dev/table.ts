/** The table of addresses that `bun run dev` ends its start with. */
import type { Stack } from "#infra/stack/mod.ts";

const TITLES: Readonly<Record<string, string>> = {
  postgres: "PostgreSQL",
  nats: "NATS",
  kafka: "Kafka",
  rabbitmq: "RabbitMQ",
  redis: "Redis",
  temporal: "Temporal",
  docker: "Docker",
};

/** The lines of the table: the app's pages, the UIs, each server, and what is missing. `apps` are the base URLs of the nodes. */
export function addressTable(apps: readonly string[], stack: Pick<Stack, "env" | "servers" | "missing">): string[] {
  const [first, ...others] = apps;
  const ui = stack.env["TEMPORAL_UI_URL"];
  const rows: [string, string][] = [
    ...(first === undefined
      ? []
      : ([
          ["app", first],
          ["console", `${first}/console`],
          ["API docs", `${first}/openapi`],
        ] satisfies [string, string][])),
    ...others.map((url, index): [string, string] => [`node ${index + 2}`, url]),
    ...(ui === undefined ? [] : ([["Temporal UI", ui]] satisfies [string, string][])),
    ...stack.servers.map((server): [string, string] => [
      TITLES[server.name] ?? server.name,
      `${server.address}${server.how === "native" ? "" : ` (${server.how})`}`,
    ]),
    ...stack.missing.map((server): [string, string] => [
      TITLES[server.server] ?? server.server,
      `missing; fix: ${server.fix}`,
    ]),
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, address]) => `  ${name.padEnd(width)}  ${address}`);
}
