/** Kafka 4 in KRaft mode: one node that is broker and controller. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { install, oneAtATime } from "./cache.ts";
import { javaCommand, programOrPackage } from "./packages.ts";
import type { LaunchContext, ObtainContext, Recipe } from "./recipe.ts";
import { ask, parseEndpoint } from "./tcp.ts";
import { UnavailableError } from "./types.ts";

const VERSION = "4.1.0";
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
    const folder = await jars(context);
    const classPath = join(folder, "libs", "*");
    return async (place) => {
      const broker = await place.port(9092);
      const controller = await place.port(9093);
      const config = writeConfiguration(place, broker, controller);
      const logging = ["-cp", classPath, `-Dlog4j2.configurationFile=${join(place.dir, "log4j2.properties")}`];
      if (!existsSync(join(place.dir, "data", "meta.properties"))) {
        await place.run(java, ["-XX:TieredStopAtLevel=1", ...logging, "kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", clusterId(place.dir), "-c", config]);
      }
      const address = `127.0.0.1:${broker}`;
      return {
        processes: [{ command: java, args: ["-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError", ...logging, "kafka.Kafka", config] }],
        address,
        env: { KAFKA_BROKERS: address },
      };
    };
  },

  /** Metadata v1 without topics. One broker of the list is enough, but it must know a controller. */
  async probe(env) {
    const brokers = (env["KAFKA_BROKERS"] ?? "").split(",").map((text) => parseEndpoint(text.trim()));
    await Promise.any(brokers.map((broker) => ask(broker, METADATA_REQUEST, readMetadata))).then((controller) => {
      if (controller < 0) throw new Error("Kafka has no controller yet");
    });
  },
};

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

function writeConfiguration(place: LaunchContext, broker: number, controller: number): string {
  mkdirSync(join(place.dir, "data"), { recursive: true });
  writeFileSync(
    join(place.dir, "log4j2.properties"),
    ["rootLogger.level = warn", "rootLogger.appenderRef.out.ref = out", "appender.out.type = Console", "appender.out.name = out", "appender.out.layout.type = PatternLayout", "appender.out.layout.pattern = %d{ISO8601} %p %c: %m%n", ""].join("\n"),
  );
  const path = join(place.dir, "server.properties");
  writeFileSync(
    path,
    [
      "process.roles=broker,controller",
      "node.id=1",
      `controller.quorum.voters=1@127.0.0.1:${controller}`,
      `listeners=PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${broker}`,
      "controller.listener.names=CONTROLLER",
      `log.dirs=${join(place.dir, "data")}`,
      // One node: what is three elsewhere is one here, and a group need not wait for members that start together.
      "offsets.topic.replication.factor=1",
      "offsets.topic.num.partitions=8",
      "transaction.state.log.replication.factor=1",
      "transaction.state.log.min.isr=1",
      "transaction.state.log.num.partitions=8",
      "group.initial.rebalance.delay.ms=0",
      "",
    ].join("\n"),
  );
  return path;
}

/** Kept beside the data: a second format with another id would be refused. */
function clusterId(dir: string): string {
  const path = join(dir, "cluster-id");
  if (!existsSync(path)) writeFileSync(path, Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString("base64url"));
  return readFileSync(path, "utf8");
}

function jars(context: ObtainContext): Promise<string> {
  return install("kafka", VERSION, context, async (folder) => {
    const maven = await programOrPackage(context, { program: "mvn", apt: "maven", brew: "maven" });
    await oneAtATime("build", context, async () => {
      context.doing(`downloading Kafka ${VERSION} (43 MB, about a minute, once)`);
      const pom = join(folder, "pom.xml");
      writeFileSync(pom, POM);
      try {
        await context.run(maven, ["--batch-mode", "--quiet", "--file", pom, "dependency:copy-dependencies", `-DoutputDirectory=${join(folder, "libs")}`, "-DincludeScope=runtime"]);
      } catch (error) {
        throw new UnavailableError(`Kafka could not be downloaded: ${error instanceof Error ? error.message : String(error)}`, `mvn dependency:get -Dartifact=org.apache.kafka:kafka_2.13:${VERSION}`, { cause: error });
      }
    });
  });
}

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>troupe</groupId>
  <artifactId>kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-core</artifactId><version>${LOG4J}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>${LOG4J}</version></dependency>
  </dependencies>
</project>
`;
