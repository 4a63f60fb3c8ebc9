import { Admin, Consumer, MessagesStreamModes } from "@platformatic/kafka";
import type { Delivered } from "#runtime/testing";

/** All messages now in the topics with this prefix, through a consumer group of its own; those of a partition in order. */
export async function readTopics(address: string, topicPrefix: string): Promise<Delivered[]> {
  const ends = await endOffsets(address, topicPrefix);
  const delivered: Delivered[] = [];
  if (ends.size === 0) return delivered;
  const consumer = new Consumer({
    clientId: "troupe-test",
    groupId: `test-${crypto.randomUUID()}`,
    bootstrapBrokers: [address],
    maxWaitTime: 100,
  });
  try {
    const topics = [...new Set([...ends.keys()].map((place) => place.slice(0, place.lastIndexOf("/"))))];
    const stream = await consumer.consume({ topics, mode: MessagesStreamModes.EARLIEST, autocommit: false });
    for await (const message of stream) {
      const headers = new Map([...message.headers].map(([name, value]) => [name.toString(), value.toString()]));
      delivered.push({
        id: headers.get("ce_id") ?? "",
        place: message.topic,
        key: message.key.toString(),
        contentType: headers.get("content-type"),
        traceparent: headers.get("traceparent"),
        body: message.value.toString(),
      });
      const place = `${message.topic}/${message.partition}`;
      if (message.offset + 1n >= (ends.get(place) ?? 0n)) ends.delete(place);
      if (ends.size === 0) break;
    }
    return delivered;
  } finally {
    await consumer.close(true);
  }
}

/** The end of every partition that holds something, as `topic/partition`. */
async function endOffsets(address: string, topicPrefix: string): Promise<Map<string, bigint>> {
  const admin = new Admin({ clientId: "troupe-test", bootstrapBrokers: [address] });
  try {
    const names = (await admin.listTopics({ includeInternals: false })).filter((name) => name.startsWith(topicPrefix));
    if (names.length === 0) return new Map();
    const metadata = await admin.metadata({ topics: names });
    const topics = names.map((name) => ({
      name,
      partitions: Array.from({ length: metadata.topics.get(name)?.partitionsCount ?? 0 }, (_, partitionIndex) => ({
        partitionIndex,
        timestamp: -1n,
      })),
    }));
    const listed = await admin.listOffsets({ topics });
    return new Map(
      listed.flatMap(({ name, partitions }) =>
        partitions
          .filter(({ offset }) => offset > 0n)
          .map(({ partitionIndex, offset }): [string, bigint] => [`${name}/${partitionIndex}`, offset]),
      ),
    );
  } finally {
    await admin.close();
  }
}
