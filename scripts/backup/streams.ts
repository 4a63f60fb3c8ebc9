import { jetstreamManager } from "@nats-io/jetstream";
import { connectNats } from "#infra/nats/connection.ts";
import { silentLog } from "#runtime";
import type { Manifest } from "./manifest.ts";

const WITHIN_MS = 10_000;
type Streams = NonNullable<Manifest["streams"]>;

/** Where streams stand now, and how far each of their consumers has got; a stream that is not there is left out. */
export async function streamPositions(url: string, names: readonly string[]): Promise<Streams> {
  const connection = connectNats({ url, log: silentLog, name: "troupe-backup" });
  try {
    return await connection.use("read the positions of streams", WITHIN_MS, async (client) => {
      const manager = await jetstreamManager(client, { checkAPI: false });
      const streams: Streams = [];
      for (const name of names) {
        const info = await manager.streams.info(name).catch(() => undefined);
        if (info === undefined) continue;
        const consumers: Streams[number]["consumers"] = [];
        for await (const consumer of manager.consumers.list(name))
          consumers.push({ name: consumer.name, ackFloor: consumer.ack_floor.stream_seq });
        streams.push({ name, firstSeq: info.state.first_seq, lastSeq: info.state.last_seq, consumers });
      }
      return streams;
    });
  } finally {
    await connection.close();
  }
}
