/** Kafka's jars. */
import { KAFKA_JARS, KAFKA_MEGABYTES, KAFKA_VERSION } from "./kafka-jars.ts";
import { type JarCommand, jarProgram } from "./maven-jars.ts";
import type { ObtainContext } from "./recipe.ts";

/** Finds or downloads Java and the jars. Throws `UnavailableError` when they cannot be had, or are not the pinned ones. */
export function kafkaProgram(context: ObtainContext): Promise<JarCommand> {
  return jarProgram(context, {
    title: "Kafka",
    name: "kafka",
    version: KAFKA_VERSION,
    jars: KAFKA_JARS,
    megabytes: KAFKA_MEGABYTES,
    artifact: "org.apache.kafka:kafka_2.13",
  });
}
