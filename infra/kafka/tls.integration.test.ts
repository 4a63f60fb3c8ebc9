import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { silentLog } from "#runtime";
import { eventRecords } from "#runtime/testing";
import type { ClientTls } from "../base/tls.ts";
import { run } from "../stack/command.ts";
import { newClusterId } from "../stack/kafka-node.ts";
import type { Certificate, Certificates } from "../testing/certificates.ts";
import { ChildServer } from "../testing/child-server.ts";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { tlsSuite } from "../testing/tls-suite.ts";
import { checkBrokers } from "./check.ts";
import type { KafkaSasl, KafkaSecurity } from "./security.ts";
import { kafkaSink } from "./sink.ts";
import { kafkaSource } from "./source.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const USER = { username: "u", password: "s3cret" };
/** One broker with a listener for each certificate, and two for users. */
const ENCRYPTED = ["good", "elsewhere", "expired", "stranger"] as const;
const ports = new Map<string, number>();
let server: ChildServer | undefined;
let made: Certificates | undefined;
afterAll(() => server?.[Symbol.asyncDispose]());

async function start(certificates: Certificates): Promise<void> {
  made = certificates;
  await using shared = await OwnBroker.start("kafka");
  const { program, args } = shared;
  server = await ChildServer.start(async (folder, port) => {
    const names = ["inner", "controller", ...ENCRYPTED, "saslssl", "saslplain"];
    for (const name of names) ports.set(name, await port());
    const at = (name: string, host = "127.0.0.1"): string => `${name.toUpperCase()}://${host}:${ports.get(name)}`;
    const config = join(folder, "server.properties");
    const lines = [
      "process.roles=broker,controller",
      "node.id=1",
      `controller.quorum.voters=1@127.0.0.1:${ports.get("controller")}`,
      `listeners=${names.map((name) => at(name)).join(",")}`,
      `advertised.listeners=${names
        .filter((name) => name !== "controller")
        .map((name) => at(name, "localhost"))
        .join(",")}`,
      `listener.security.protocol.map=INNER:PLAINTEXT,CONTROLLER:PLAINTEXT,SASLSSL:SASL_SSL,SASLPLAIN:SASL_PLAINTEXT,${ENCRYPTED.map((name) => `${name.toUpperCase()}:SSL`).join(",")}`,
      "inter.broker.listener.name=INNER",
      "controller.listener.names=CONTROLLER",
      `log.dirs=${join(folder, "data")}`,
      "offsets.topic.replication.factor=1",
      "offsets.topic.num.partitions=1",
      "transaction.state.log.replication.factor=1",
      "transaction.state.log.min.isr=1",
      "group.initial.rebalance.delay.ms=0",
    ];
    for (const name of [...ENCRYPTED, "saslssl"]) {
      const { cert, key } = certificates[name === "saslssl" ? "good" : (name as (typeof ENCRYPTED)[number])];
      const store = join(folder, `${name}.pem`);
      await writeFile(store, key + cert);
      lines.push(
        `listener.name.${name}.ssl.keystore.type=PEM`,
        `listener.name.${name}.ssl.keystore.location=${store}`,
        `listener.name.${name}.ssl.truststore.type=PEM`,
        `listener.name.${name}.ssl.truststore.location=${certificates.ca.certFile}`,
        `listener.name.${name}.ssl.client.auth=${name === "saslssl" ? "none" : "required"}`,
      );
    }
    for (const name of ["saslssl", "saslplain"]) {
      const module = "org.apache.kafka.common.security";
      lines.push(
        `listener.name.${name}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512`,
        `listener.name.${name}.plain.sasl.jaas.config=${module}.plain.PlainLoginModule required user_${USER.username}="${USER.password}";`,
        `listener.name.${name}.scram-sha-256.sasl.jaas.config=${module}.scram.ScramLoginModule required;`,
        `listener.name.${name}.scram-sha-512.sasl.jaas.config=${module}.scram.ScramLoginModule required;`,
      );
    }
    await writeFile(config, `${lines.join("\n")}\n`);
    const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"].flatMap((mechanism) => [
      "--add-scram",
      `${mechanism}=[name=${USER.username},password=${USER.password}]`,
    ]);
    // Its own settings stand at the end, behind the class to run.
    const java = args.slice(0, -2).filter((arg) => !arg.startsWith("-XX:SharedArchiveFile"));
    await run(program, [...java, "kafka.tools.StorageTool", "format", "-t", newClusterId(), "-c", config, ...scram], {
      withinMs: 60_000,
    });
    return {
      command: program,
      args: [...java, "kafka.Kafka", config],
      ready: () => checkBrokers([`127.0.0.1:${ports.get("inner")}`], 2_000),
    };
  }, 120_000);
}

const nameOf = ({ certFile }: Certificate): string => certFile.replace(/^.*\/|\.pem$/g, "");

async function speak(brokers: string, security: KafkaSecurity): Promise<void> {
  const topicPrefix = `t-${crypto.randomUUID().slice(0, 8)}.`;
  const sink = kafkaSink({ brokers, security, topicPrefix, log: silentLog, partitions: 1, deadlineMs: 20_000 });
  try {
    await sink.check();
    const records = eventRecords(1, { targets: 1, types: ["order.placed.v1"] });
    await eventually("the event is there", 60_000, async () => {
      const results = await sink.publish(records, 1);
      return results.every(({ kind }) => kind === "acked");
    });
    const source = kafkaSource({ brokers, security, topicPrefix, log: silentLog, partitions: 1 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const handle = async (): Promise<"taken"> => {
      resolve();
      return "taken";
    };
    const consumer = source.start({ consumer: "invoice", types: ["order.placed.v1"], maxInFlight: 1, handle });
    await promise;
    await consumer.stop(1_000);
  } finally {
    await sink.close();
  }
}

tlsSuite("Kafka", {
  prepare: start,
  serve: async (certificate) => ({
    address: (host) => `${host}:${ports.get(nameOf(certificate))}`,
    [Symbol.asyncDispose]: async () => undefined,
  }),
  speak: (brokers, tls) => speak(brokers, { tls }),
});

const MECHANISMS: readonly KafkaSasl["mechanism"][] = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"];

test.each(MECHANISMS)(
  "Kafka by SASL %s: lets a user in, encrypted or not, and nobody with another password",
  async (mechanism) => {
    if (server === undefined) await start(made as Certificates);
    const tls: ClientTls = { ca: (made as Certificates).ca.cert };
    await speak(`localhost:${ports.get("saslssl")}`, { tls, sasl: { mechanism, ...USER } });
    await speak(`localhost:${ports.get("saslplain")}`, { sasl: { mechanism, ...USER } });
    const wrong = { mechanism, ...USER, password: "other" };
    await expect(speak(`localhost:${ports.get("saslssl")}`, { tls, sasl: wrong })).rejects.toThrow(
      "Cannot reach Kafka",
    );
    await eventually("a client without a user is refused", 10_000, () =>
      speak(`localhost:${ports.get("saslplain")}`, {}).then(
        () => false,
        () => true,
      ),
    );
  },
);
