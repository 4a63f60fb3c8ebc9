/**
 * Kafka's classes in the form Java maps into memory. Loading 6,000 classes one by one is more than half of what a start of Kafka costs
 * (8 s of processor time without, 5 s with the archive), so they are recorded once per Kafka and Java.
 */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { install, onlyWhenIdle } from "./cache.ts";
import { kafkaNode } from "./kafka-node.ts";
import { javaVersion } from "./packages.ts";
import { Ports } from "./ports.ts";
import type { ObtainContext, Recipe } from "./recipe.ts";

const READY_MS = 60_000;
const WHOLE_MS = 120_000;

/** The archive's path, recorded when it is missing; undefined when recording failed, which costs only the time saved. */
export async function classArchive(
  context: ObtainContext,
  kafka: {
    readonly java: string;
    readonly classPath: string;
    readonly version: string;
    readonly probe: Recipe["probe"];
  },
): Promise<string | undefined> {
  const version = `${kafka.version}-java${await javaVersion(kafka.java)}`;
  const prepare = async (target: string): Promise<void> => {
    const work = join(target, "work");
    await mkdir(work);
    // Not while something is being built: Kafka would wait minutes to save seconds. The next start tries again.
    await onlyWhenIdle("build", async () => {
      context.doing("preparing Kafka's classes (once)");
      // A failure leaves an empty folder, so that it is not tried at every start.
      await record(context, kafka, work, join(target, "classes.jsa")).catch(() => undefined);
    });
    await rm(work, { recursive: true, force: true });
  };
  try {
    const archive = join(await install("kafka-classes", version, context, prepare), "classes.jsa");
    return existsSync(archive) ? archive : undefined;
  } catch {
    return undefined;
  }
}

/** Starts a node of its own, waits until it serves, ends it: Java then writes down what it had loaded. */
async function record(
  context: ObtainContext,
  kafka: Parameters<typeof classArchive>[1],
  work: string,
  archive: string,
): Promise<void> {
  using ports = new Ports(false);
  const broker = await ports.pick(9092);
  const node = kafkaNode(work, { broker, controller: await ports.pick(9093) }, kafka.classPath);
  await context.run(kafka.java, node.format);
  const env = { KAFKA_BROKERS: `127.0.0.1:${broker}` };
  await context.run(kafka.java, [`-XX:ArchiveClassesAtExit=${archive}`, ...node.serve], {
    endWhen: untilServing(() => kafka.probe(env)),
    withinMs: WHOLE_MS,
  });
}

async function untilServing(probe: () => Promise<void>): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (Date.now() < deadline) {
    if (
      await probe().then(
        () => true,
        () => false,
      )
    )
      return;
    await delay(100);
  }
}
