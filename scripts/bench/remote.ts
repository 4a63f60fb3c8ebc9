import { join } from "node:path";
import { connectNats } from "#infra/nats/connection.ts";
import { natsTransport } from "#infra/nats/transport.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { createTroupe, memory, silentLog } from "#runtime";
import { load } from "./measure.ts";
import { Echo } from "./memory.ts";
import { OWNER, RAW_SUBJECT, type RemoteServers } from "./remote-owner.ts";
import type { BenchCase } from "./report.ts";

const OWNER_MAIN = join(import.meta.dirname, "remote-owner.ts");
const FOR_EVER_MS = 1e9;

/**
 * Ask and reply between two processes over NATS, nothing stored: every actor lives on the other one. The baseline is a
 * plain NATS request to a process that answers at once.
 */
export async function* askTwoNodes(): AsyncGenerator<BenchCase> {
  const servers: RemoteServers = {
    natsUrl: await testServer("nats"),
    prefix: `bench${crypto.randomUUID().slice(0, 8)}.node`,
  };
  const owner = Bun.spawn([process.execPath, OWNER_MAIN, JSON.stringify(servers)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const connection = connectNats({ url: servers.natsUrl, log: silentLog });
  try {
    await owner.stdout.getReader().read(); // it says when it is ready
    await connection.ready(10_000);
    // The owner's store is its own. This one only has to say who owns what.
    const store = memory();
    await store.heartbeat(OWNER, FOR_EVER_MS, {
      address: undefined,
      owns: true,
      types: ["echo"],
      leaseMs: FOR_EVER_MS,
    });
    await store.acquire(OWNER);
    const transport = natsTransport({ connection, log: silentLog, subjectPrefix: servers.prefix });
    await using troupe = await createTroupe({ actors: [Echo], stores: { default: store }, transport, owns: false });
    const refs = Array.from({ length: 1_000 }, (_, i) => troupe.ref(Echo, `k${i}`));
    for (const callers of [1, 64]) {
      const baseline = await load(callers, () =>
        connection.use("ask", 5_000, (client) => client.request(RAW_SUBJECT(servers), "1", { timeout: 5_000 })),
      );
      const measured = await load(callers, (caller, round) => refs[(caller * 31 + round) % refs.length]!.ask(round));
      yield {
        bench: "ask",
        case: `two nodes, ${callers} in flight`,
        measured,
        baseline: { name: "NATS request", ...baseline },
      };
    }
  } finally {
    owner.kill();
    await owner.exited;
    await connection.close();
  }
}
