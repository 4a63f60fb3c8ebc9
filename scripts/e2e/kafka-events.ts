import { Admin, Consumer, MessagesStreamModes } from "@platformatic/kafka";
import type { CloudEvent } from "./cloud-event.ts";

/** Every event now in the topics with this prefix, those of a key in order. */
export async function readKafka(brokers: string, prefix: string): Promise<CloudEvent[]> {
  const ends = await endOffsets(brokers, prefix);
  const events: CloudEvent[] = [];
  if (ends.size === 0) return events;
  const consumer = new Consumer({
    clientId: "troupe-e2e",
    groupId: `e2e-${crypto.randomUUID()}`,
    bootstrapBrokers: brokers.split(","),
    maxWaitTime: 100,
  });
  try {
    const topics = [...new Set([...ends.keys()].map((place) => place.slice(0, place.lastIndexOf("/"))))];
    const stream = await consumer.consume({ topics, mode: MessagesStreamModes.EARLIEST, autocommit: false });
    for await (const { topic, partition, offset, value } of stream) {
      events.push(JSON.parse(value.toString()) as CloudEvent);
      const place = `${topic}/${partition}`;
      if (offset + 1n >= (ends.get(place) ?? 0n)) ends.delete(place);
      if (ends.size === 0) break;
    }
    return events;
  } finally {
    await consumer.close(true);
  }
}

/** Removes the topics with this prefix. */
export async function removeTopics(brokers: string, prefix: string): Promise<void> {
  const admin = new Admin({ clientId: "troupe-e2e", bootstrapBrokers: brokers.split(",") });
  try {
    const topics = (await admin.listTopics({ includeInternals: false })).filter((name) => name.startsWith(prefix));
    if (topics.length > 0) await admin.deleteTopics({ topics });
  } finally {
    await admin.close();
  }
}

/** The end of every partition that holds something, as `topic/partition`. */
async function endOffsets(brokers: string, prefix: string): Promise<Map<string, bigint>> {
  const admin = new Admin({ clientId: "troupe-e2e", bootstrapBrokers: brokers.split(",") });
  try {
    const names = (await admin.listTopics({ includeInternals: false })).filter((name) => name.startsWith(prefix));
    if (names.length === 0) return new Map();
    const metadata = await admin.metadata({ topics: names });
    const topics = names.map((name) => {
      const count = metadata.topics.get(name)?.partitionsCount ?? 0;
      return {
        name,
        partitions: Array.from({ length: count }, (_, partitionIndex) => ({ partitionIndex, timestamp: -1n })),
      };
    });
    const listed = await admin.listOffsets({ topics });
    const ends = listed.flatMap(({ name, partitions }) =>
      partitions.map(({ partitionIndex, offset }) => [`${name}/${partitionIndex}`, offset] as const),
    );
    return new Map(ends.filter(([, offset]) => offset > 0n));
  } finally {
    await admin.close();
  }
}
