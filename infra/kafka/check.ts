import { Admin } from "@platformatic/kafka";
import { withoutCredentials } from "../base/address.ts";
import { within } from "../base/deadline.ts";
import { kafkaReason, KafkaUnavailableError } from "./errors.ts";
import { connectionOptions, type KafkaSecurity } from "./security.ts";

/**
 * Resolves when one of the brokers tells about the cluster. A client of its own each time: one that has seen a broker
 * die may answer from memory.
 * @throws {KafkaUnavailableError} none did within `withinMs`.
 */
export async function checkBrokers(
  brokers: readonly string[],
  withinMs: number,
  security?: KafkaSecurity,
): Promise<void> {
  const admin = new Admin({
    clientId: "troupe-check",
    ...connectionOptions(brokers, security),
    timeout: withinMs,
    connectTimeout: withinMs,
    retries: 0,
  });
  const late = (): Error => new Error(`no answer within ${withinMs} ms`);
  try {
    await within(withinMs, admin.metadata({ topics: [], forceUpdate: true }), late);
  } catch (error) {
    throw new KafkaUnavailableError(
      `Cannot reach Kafka at ${withoutCredentials(brokers.join(","))}: ${kafkaReason(error)}`,
      {
        cause: error,
      },
    );
  } finally {
    void admin.close().catch(() => undefined);
  }
}
