import { Admin } from "@platformatic/kafka";

/** How far a consumer group is behind. */
export interface GroupLag {
  /** Records that the group has not committed yet, over all partitions. */
  readonly lag: number;
  /** More consumers than partitions have nothing to do. */
  readonly partitions: number;
}

const LATEST = -1n;
const EARLIEST = -2n;

/** Reads how far consumer groups are behind. Connects when it is first asked. */
export class GroupLags {
  readonly #brokers: readonly string[];
  #admin: Admin | undefined;

  constructor(brokers: readonly string[]) {
    this.#brokers = brokers;
  }

  /** A group that has committed nothing is behind by everything that is kept. Rejects where there is no such topic. */
  async read(group: string, topic: string): Promise<GroupLag> {
    const admin = (this.#admin ??= new Admin({
      clientId: "troupe-lag",
      bootstrapBrokers: [...this.#brokers],
      timeout: 3_000,
      connectTimeout: 3_000,
      retries: 1,
    }));
    try {
      const metadata = await admin.metadata({ topics: [topic] });
      const count = metadata.topics.get(topic)?.partitionsCount ?? 0;
      if (count === 0) throw new Error(`there is no topic ${topic}`);
      const indexes = Array.from({ length: count }, (_, index) => index);
      const at = (timestamp: bigint) =>
        admin.listOffsets({
          topics: [{ name: topic, partitions: indexes.map((partitionIndex) => ({ partitionIndex, timestamp })) }],
        });
      const [latest, earliest, groups] = await Promise.all([
        at(LATEST),
        at(EARLIEST),
        admin.listConsumerGroupOffsets({
          groups: [{ groupId: group, topics: [{ name: topic, partitionIndexes: indexes }] }],
        }),
      ]);
      const committed = new Map(
        groups[0]?.topics[0]?.partitions.map((one) => [one.partitionIndex, one.committedOffset]) ?? [],
      );
      const first = new Map(earliest[0]?.partitions.map((one) => [one.partitionIndex, one.offset]) ?? []);
      const lag = (latest[0]?.partitions ?? []).reduce((sum, { partitionIndex, offset }) => {
        const done = committed.get(partitionIndex) ?? -1n;
        const from = done < 0n ? (first.get(partitionIndex) ?? 0n) : done;
        return sum + Math.max(0, Number(offset - from));
      }, 0);
      return { lag, partitions: count };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    void this.#admin?.close().catch(() => undefined);
    this.#admin = undefined;
  }
}
