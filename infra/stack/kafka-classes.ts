/**
 * Kafka's classes in the form Java maps into memory. Loading 6,000 classes one by one is a third of what a start of Kafka costs, so they
 * are recorded once per Kafka and Java: after the first start, by a process of the lowest priority, since recording takes longer than one
 * start wins.
 */
import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { cached, install, onlyWhenIdle } from "./cache.ts";
import { CommandError } from "./command.ts";
import { KAFKA_VERSION } from "./kafka-jars.ts";
import { kafkaNode } from "./kafka-node.ts";
import type { JarCommand } from "./maven-jars.ts";
import { javaVersion } from "./packages.ts";
import { Ports } from "./ports.ts";
import type { ObtainContext, Recipe } from "./recipe.ts";

const NAME = "kafka-classes";
/** Linux weighs sessions first, and `nice` only within one: the session's own weight goes down, too. */
const AT_LOWEST_PRIORITY = '{ echo 19 > /proc/self/autogroup; } 2>/dev/null; exec nice -n 19 "$0" "$@"';
const READY_MS = 300_000;
const WHOLE_MS = 400_000;

/** The archive's path; undefined while none is recorded. */
export async function classArchive(java: string): Promise<string | undefined> {
  const folder = cached(NAME, await versionOf(java));
  const archive = folder === undefined ? undefined : join(folder, "classes.jsa");
  return archive !== undefined && existsSync(archive) ? archive : undefined;
}

/**
 * Records the archive unless there is one. Throws when it is interrupted, takes too long on a busy machine, or
 * when something is being built: the next start tries again.
 * A Java that cannot record leaves an empty folder, so that it is not tried at every start.
 */
export async function recordClasses(
  context: ObtainContext,
  kafka: JarCommand & { readonly probe: Recipe["probe"] },
): Promise<void> {
  await install(NAME, await versionOf(kafka.java), context, (target) =>
    onlyWhenIdle("build", async () => {
      const work = join(target, "work");
      await mkdir(work);
      try {
        await record(context, kafka, work, join(target, "classes.jsa"));
      } catch (error) {
        if (!(error instanceof CommandError) || error.killed) throw error;
      }
      await rm(work, { recursive: true, force: true });
    }),
  );
}

async function versionOf(java: string): Promise<string> {
  return `${KAFKA_VERSION}-java${await javaVersion(java)}`;
}

/** Starts a node of its own, waits until it serves, ends it: Java then writes down what it had loaded. */
async function record(
  context: ObtainContext,
  kafka: JarCommand & { readonly probe: Recipe["probe"] },
  work: string,
  archive: string,
): Promise<void> {
  using ports = new Ports(false);
  const broker = await ports.pick(9092);
  const node = kafkaNode(work, { broker, controller: await ports.pick(9093) }, kafka.classPath);
  const idly = (args: readonly string[]): [string, string[]] => ["sh", ["-c", AT_LOWEST_PRIORITY, kafka.java, ...args]];
  await context.run(...idly(node.format), { withinMs: WHOLE_MS });
  const env = { KAFKA_BROKERS: `127.0.0.1:${broker}` };
  await context.run(...idly([`-XX:ArchiveClassesAtExit=${archive}`, ...node.serve]), {
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
