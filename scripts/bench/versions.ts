import { availableParallelism } from "node:os";
import { connect } from "@nats-io/transport-node";
import postgres from "postgres";
import { parseNatsUrl } from "#infra/nats/url.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { KAFKA_VERSION } from "#infra/stack/kafka-jars.ts";
import type { ServerName } from "#infra/stack/types.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";

/** What each server says of itself; Kafka does not say, so it is the version that is installed. */
const ASK: Readonly<Partial<Record<ServerName, (address: string) => Promise<string>>>> = {
  async postgres(address) {
    const sql = postgres(address, { max: 1, onnotice: () => undefined });
    const rows = await sql<{ server_version: string }[]>`show server_version`;
    await sql.end();
    return rows[0]?.server_version.split(" ")[0] ?? "?";
  },
  async nats(address) {
    const { address: _shown, ...options } = parseNatsUrl(address);
    const connection = await connect(options);
    const version = connection.info?.version ?? "?";
    await connection.close();
    return version;
  },
  kafka: async () => KAFKA_VERSION,
  async temporal(address) {
    const temporal = temporalConnection({ address });
    const info = await temporal.call(() => temporal.client.workflowService.getSystemInfo({}));
    await temporal.close();
    return info.serverVersion ?? "?";
  },
};

const TITLES = { postgres: "PostgreSQL", nats: "NATS", kafka: "Kafka", temporal: "Temporal" } as const;

/** The line below the figures. Servers that the run did not need are not started for it: `-`. */
export async function versionsLine(used: ReadonlySet<ServerName>): Promise<string> {
  const shown = await Promise.all(
    Object.entries(TITLES).map(async ([name, title]) => {
      const server = name as keyof typeof TITLES;
      const version = used.has(server)
        ? await testServer(server)
            .then((address) => ASK[server]?.(address))
            .catch(() => "not available")
        : "-";
      return `${title} ${version}`;
    }),
  );
  return [`Bun ${Bun.version}`, ...shown, `${availableParallelism()} CPUs`].join(", ");
}
