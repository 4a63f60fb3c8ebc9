import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";

import { connect } from "@nats-io/transport-node";

import { BrokerProcess, freePorts } from "./broker-process.ts";

/** Where the program is: in the cache, else on the PATH; `undefined` where it is not. */
export function natsProgram(): string | undefined {
  const cache = process.env["TROUPE_CACHE"] || join(homedir(), ".cache", "troupe");
  const cached = join(cache, "nats-2.15.2", "nats-server");
  return existsSync(cached) ? cached : (Bun.which("nats-server") ?? undefined);
}

/** A NATS server of the test's own, with JetStream that flushes every write to disk. `address` is its URL. */
export function startNats(extra = ""): Promise<BrokerProcess> {
  return BrokerProcess.start({
    name: "nats",
    prepare: async (folder) => {
      const [port] = await freePorts(1);
      const file = join(folder, "nats.conf");
      await writeFile(file, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${join(folder, "data")}", sync_interval: always }\n${extra}\n`);
      return { address: `nats://127.0.0.1:${port}`, command: [natsProgram() ?? "nats-server", "-c", file] };
    },
    ready: async (address) => {
      try {
        const client = await connect({ servers: address, reconnect: false, timeout: 1_000 });
        await client.request("$JS.API.INFO", "", { timeout: 1_000 });
        await client.close();
        return true;
      } catch {
        return false;
      }
    },
  });
}
