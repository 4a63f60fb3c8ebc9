/** Kafka 4 in KRaft mode: one node that is broker and controller. */
import { classArchive, recordClasses } from "./kafka-classes.ts";
import { kafkaProgram } from "./kafka-download.ts";
import { kafkaNode } from "./kafka-node.ts";
import type { Recipe } from "./recipe.ts";
import { ask, parseEndpoint } from "./tcp.ts";
import type { Env } from "./types.ts";

/** Kafka. */
export const kafkaRecipe: Recipe = {
  name: "kafka",
  title: "Kafka",
  variable: "KAFKA_BROKERS",
  readyWithinMs: 90_000,
  stop: { signal: "SIGTERM", withinMs: 15_000 },
  compose: { ports: { KAFKA_PORT: 9092 }, env: (ports) => ({ KAFKA_BROKERS: `127.0.0.1:${ports["KAFKA_PORT"]}` }) },

  async obtain(context) {
    const { java, classPath } = await kafkaProgram(context);
    const archive = await classArchive(java);
    return async (place) => {
      const broker = await place.port(9092);
      const node = kafkaNode(place.dir, { broker, controller: await place.port(9093) }, classPath, archive);
      if (!node.isFormatted) await place.run(java, node.format);
      const address = `127.0.0.1:${broker}`;
      return { processes: [{ command: java, args: node.serve }], address, env: { KAFKA_BROKERS: address } };
    };
  },

  probe,

  async afterwards(context) {
    await recordClasses(context, { ...(await kafkaProgram(context)), probe });
  },
};

/** Metadata v1 without topics. One broker of the list is enough, but it must know a controller. */
async function probe(env: Readonly<Env>): Promise<void> {
  const brokers = (env["KAFKA_BROKERS"] ?? "").split(",").map((text) => parseEndpoint(text.trim()));
  const controller = await Promise.any(brokers.map((broker) => ask(broker, METADATA_REQUEST, readMetadata))).catch(
    (error: unknown) => {
      throw error instanceof AggregateError ? error.errors[0] : error;
    },
  );
  if (controller < 0) throw new Error("Kafka has no controller yet");
}

const METADATA_REQUEST = request(3, 1, "troupe-ready", Buffer.from([0, 0, 0, 0]));

/** A request frame: size, api key, api version, correlation id, client id, body. */
function request(apiKey: number, version: number, clientId: string, body: Buffer): Buffer {
  const header = Buffer.alloc(14);
  header.writeInt32BE(10 + clientId.length + body.length, 0);
  header.writeInt16BE(apiKey, 4);
  header.writeInt16BE(version, 6);
  header.writeInt32BE(1, 8);
  header.writeInt16BE(clientId.length, 12);
  return Buffer.concat([header, Buffer.from(clientId), body]);
}

/** The controller's id from a whole Metadata v1 response (size, correlation id, brokers, controller id, …); undefined while it is not whole. */
function readMetadata(bytes: Buffer): number | undefined {
  if (bytes.length < 4 || bytes.length < 4 + bytes.readInt32BE(0)) return undefined;
  let at = 8;
  const brokers = bytes.readInt32BE(at);
  at += 4;
  const skipText = (): void => {
    at += 2 + Math.max(0, bytes.readInt16BE(at));
  };
  for (let index = 0; index < brokers; index++) {
    at += 4; // id
    skipText(); // host
    at += 4; // port
    skipText(); // rack
  }
  if (brokers === 0) throw new Error("Kafka knows no broker yet");
  return bytes.readInt32BE(at);
}
