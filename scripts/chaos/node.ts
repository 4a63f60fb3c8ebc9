/** One node of a chaos run, as a process of its own: prints `ready` when it runs; SIGTERM makes it leave in order. */
import { connectNats } from "#infra/nats/connection.ts";
import { natsTransport } from "#infra/nats/transport.ts";
import { postgresStore } from "#infra/postgres/store.ts";
import { type AnyActorType, createTroupe, silentLog, type Troupe } from "#runtime";
import { ACTORS } from "./actors.ts";

/** Where a node of a run finds its servers, and the name that keeps runs apart. */
export interface ChaosServers {
  readonly databaseUrl: string;
  readonly natsUrl: string;
  readonly subjectPrefix: string;
}

/** Starts a node of a run in this process. Its connections end with `stop`. */
export async function startNode(servers: ChaosServers, owns: boolean): Promise<Pick<Troupe, "ref" | "leave" | "stop">> {
  const connection = connectNats({ url: servers.natsUrl, log: silentLog });
  await connection.ready(10_000);
  const troupe = await createTroupe({
    actors: ACTORS,
    stores: { default: postgresStore(servers.databaseUrl) },
    transport: natsTransport({ connection, log: silentLog, subjectPrefix: servers.subjectPrefix }),
    owns,
  });
  return {
    ref: ((type: AnyActorType, key: string) => troupe.ref(type, key)) as Troupe["ref"],
    leave: (timeoutMs) => troupe.leave(timeoutMs),
    async stop(timeoutMs) {
      await troupe.stop(timeoutMs);
      await connection.close();
    },
  };
}

if (import.meta.main) {
  const node = await startNode(JSON.parse(process.argv[2] ?? "{}") as ChaosServers, true);
  process.on("SIGTERM", () => {
    void node
      .leave()
      .then(() => node.stop())
      .finally(() => process.exit(0));
  });
  console.log("ready");
  setInterval(() => undefined, 60_000); // the runtime's own timers do not keep a process
}
