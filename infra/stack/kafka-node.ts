/** The folder and command lines of one Kafka node. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The node's two listeners. */
export interface KafkaPorts {
  readonly broker: number;
  readonly controller: number;
}

/** What to call `java` with. */
export interface KafkaNode {
  readonly isFormatted: boolean;
  /** Needed once, before the first start. */
  readonly format: readonly string[];
  readonly serve: readonly string[];
}

/** Writes the configuration into `dir` and answers the command lines. `archive` is a class archive, used when it fits the Java. */
export function kafkaNode(dir: string, ports: KafkaPorts, classPath: string, archive?: string): KafkaNode {
  const config = writeConfiguration(dir, ports);
  const common = ["-cp", classPath, `-Dlog4j2.configurationFile=${join(dir, "log4j2.properties")}`];
  const shared = archive === undefined ? [] : [`-XX:SharedArchiveFile=${archive}`];
  return {
    isFormatted: existsSync(join(dir, "data", "meta.properties")),
    format: [
      "-XX:TieredStopAtLevel=1",
      ...shared,
      ...common,
      "kafka.tools.StorageTool",
      "format",
      "--ignore-formatted",
      "-t",
      clusterId(dir),
      "-c",
      config,
    ],
    serve: [
      "-Xms256m",
      "-Xmx512m",
      "-XX:+UseG1GC",
      "-XX:+ExitOnOutOfMemoryError",
      ...shared,
      ...common,
      "kafka.Kafka",
      config,
    ],
  };
}

function writeConfiguration(dir: string, { broker, controller }: KafkaPorts): string {
  mkdirSync(join(dir, "data"), { recursive: true });
  writeFileSync(
    join(dir, "log4j2.properties"),
    [
      "rootLogger.level = warn",
      "rootLogger.appenderRef.out.ref = out",
      "appender.out.type = Console",
      "appender.out.name = out",
      "appender.out.layout.type = PatternLayout",
      "appender.out.layout.pattern = %d{ISO8601} %p %c: %m%n",
      "",
    ].join("\n"),
  );
  const path = join(dir, "server.properties");
  writeFileSync(
    path,
    [
      "process.roles=broker,controller",
      "node.id=1",
      `controller.quorum.voters=1@127.0.0.1:${controller}`,
      `listeners=PLAINTEXT://127.0.0.1:${broker},CONTROLLER://127.0.0.1:${controller}`,
      `advertised.listeners=PLAINTEXT://127.0.0.1:${broker}`,
      "controller.listener.names=CONTROLLER",
      `log.dirs=${join(dir, "data")}`,
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
  if (!existsSync(path)) writeFileSync(path, newClusterId());
  return readFileSync(path, "utf8");
}

/** 16 random bytes in base64url. Never beginning with `-`: the format tool would take it for an option. */
export function newClusterId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[0] = (bytes[0] as number) & 0x7f; // the upper six bits make the first digit, and `-` is 62
  return Buffer.from(bytes).toString("base64url");
}
