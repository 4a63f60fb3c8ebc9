/** Kafka 4 in KRaft mode: one node that is broker and controller. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheDir, install } from "./cache.ts";
import { classArchive } from "./kafka-classes.ts";
import { kafkaNode } from "./kafka-node.ts";
import { javaCommand, programOrPackage } from "./packages.ts";
import type { ObtainContext, Recipe } from "./recipe.ts";
import { ask, parseEndpoint } from "./tcp.ts";
import { type Env, UnavailableError } from "./types.ts";

/** Pinned: what the cache holds. */
export const KAFKA_VERSION = "4.1.0";
const LOG4J = "2.24.3";

/** Kafka. */
export const kafkaRecipe: Recipe = {
  name: "kafka",
  title: "Kafka",
  variable: "KAFKA_BROKERS",
  readyWithinMs: 90_000,
  stop: { signal: "SIGTERM", withinMs: 15_000 },
  compose: { ports: { KAFKA_PORT: 9092 }, env: (ports) => ({ KAFKA_BROKERS: `127.0.0.1:${ports["KAFKA_PORT"]}` }) },

  async obtain(context) {
    const java = await javaCommand(context);
    const folder = await jars(context, java);
    const classPath = join(folder, "libs", "*");
    const archive = await classArchive(context, { java, classPath, version: KAFKA_VERSION, probe });
    return async (place) => {
      const broker = await place.port(9092);
      const node = kafkaNode(place.dir, { broker, controller: await place.port(9093) }, classPath, archive);
      if (!node.isFormatted) await place.run(java, node.format);
      const address = `127.0.0.1:${broker}`;
      return { processes: [{ command: java, args: node.serve }], address, env: { KAFKA_BROKERS: address } };
    };
  },

  probe,
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

function jars(context: ObtainContext, java: string): Promise<string> {
  return install("kafka", KAFKA_VERSION, context, async (folder) => {
    const maven = await programOrPackage(context, { program: "mvn", apt: "maven", brew: "maven" });
    context.doing(`downloading Kafka ${KAFKA_VERSION} (43 MB, about a minute, once)`);
    const pom = join(folder, "pom.xml");
    writeFileSync(pom, POM);
    try {
      await context.run(
        maven,
        [
          "--batch-mode",
          "--quiet",
          "--file",
          pom,
          "dependency:copy-dependencies",
          `-DoutputDirectory=${join(folder, "libs")}`,
          "-DincludeScope=runtime",
        ],
        {
          // Maven looks for Java by itself, and would not find the one in the cache.
          env: java.startsWith(cacheDir()) ? { JAVA_HOME: join(java, "..", "..") } : {},
        },
      );
    } catch (error) {
      throw new UnavailableError(
        `Kafka could not be downloaded: ${error instanceof Error ? error.message : String(error)}`,
        `mvn dependency:get -Dartifact=org.apache.kafka:kafka_2.13:${KAFKA_VERSION}`,
        { cause: error },
      );
    }
  });
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>troupe</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>${LOG4J}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG4J}</version></dependency>
  </dependencies>
</project>
`;
