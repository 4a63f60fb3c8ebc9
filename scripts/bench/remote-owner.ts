/** The other node of the `ask` benchmark, as a process of its own; also answers plain NATS requests, for the baseline. */
import { connectNats } from "#infra/nats/connection.ts";
import { natsTransport } from "#infra/nats/transport.ts";
import { createTroupe, memory, silentLog } from "#runtime";
import { Echo } from "./memory.ts";

export const OWNER = "bench-owner";

export interface RemoteServers {
  readonly natsUrl: string;
  readonly prefix: string;
}

export const RAW_SUBJECT = ({ prefix }: RemoteServers): string => `${prefix}.raw`;

if (import.meta.main) {
  const servers = JSON.parse(process.argv[2] ?? "") as RemoteServers;
  const connection = connectNats({ url: servers.natsUrl, log: silentLog });
  await connection.ready(10_000);
  const transport = natsTransport({ connection, log: silentLog, subjectPrefix: servers.prefix });
  await createTroupe({ actors: [Echo], stores: { default: memory() }, transport, nodeId: OWNER });
  await connection.use("serve", 5_000, async (client) => {
    client.subscribe(RAW_SUBJECT(servers), { callback: (_, message) => void message.respond("2") });
    await client.flush();
  });
  console.log("ready");
}
