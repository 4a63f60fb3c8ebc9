import { Admin, type ClusterMetadata, Consumer } from "@platformatic/kafka";
import { within } from "../base/deadline.ts";
import {
  BODY_LETTERS,
  type BrokerTail,
  markOf,
  readMark,
  type TailedMessage,
  type TailGroup,
  type TailPage,
} from "../tail/tail.ts";
import { connectionOptions, type KafkaSecurity } from "./security.ts";

/** What {@link kafkaTail} is given. */
export interface KafkaTailOptions {
  /** `127.0.0.1:9092`, some of the cluster's brokers; separated by commas. */
  readonly brokers: string;
  readonly security?: KafkaSecurity | undefined;
  /** Topics and groups of other names are none of ours. @default "" */
  readonly prefix?: string;
}

const WITHIN_MS = 4_000;
/** Topics and groups looked at: a cluster may hold thousands. */
const TOPICS = 50;
const GROUPS = 50;
const LATEST = -1n;
const EARLIEST = -2n;
/** Bytes fetched of a partition: a batch comes whole, however few of its records are wanted. */
const PARTITION_BYTES = 262_144;

/** Partitions are unevenly filled: more of each is read than is shown. */
const SPARE = 4;

/** A partition, and where it ends. */
interface End {
  readonly topic: string;
  readonly partition: number;
  readonly end: bigint;
}

/** Looks at topics, straight at their partitions: no group is joined (Tail.T2). */
export function kafkaTail({ brokers, security, prefix = "" }: KafkaTailOptions): BrokerTail {
  let open: { readonly admin: Admin; readonly consumer: Consumer } | undefined;

  function close(): void {
    const { admin, consumer } = open ?? {};
    open = undefined;
    void admin?.close().catch(() => undefined);
    void consumer?.close(true).catch(() => undefined);
  }

  async function use<T>(run: (clients: NonNullable<typeof open>) => Promise<T>): Promise<T> {
    open ??= openClients(brokers.split(","), security);
    try {
      return await within(WITHIN_MS, run(open), () => new Error(`no answer within ${WITHIN_MS} ms`));
    } catch (error) {
      close(); // Tail.T3
      throw new Error(`Cannot look at Kafka: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  return {
    broker: "kafka",
    view: () =>
      use(async ({ admin }) => {
        const topics = await topicsOf(admin, prefix);
        if (topics.length === 0) return { places: [], groups: [] };
        const metadata = await admin.metadata({ topics });
        const [ends, begins] = await Promise.all([
          offsetsOf(admin, metadata, LATEST),
          offsetsOf(admin, metadata, EARLIEST),
        ]);
        const begin = new Map(begins.map((one) => [placeOf(one), one.end]));
        const kept = (topic: string): number =>
          ends
            .filter((one) => one.topic === topic)
            .reduce((sum, one) => sum + Number(one.end - (begin.get(placeOf(one)) ?? 0n)), 0);
        return {
          places: topics.map((name) => ({
            ...{ name, kind: "topic" as const, messages: kept(name) },
            partitions: metadata.topics.get(name)?.partitionsCount ?? 0,
          })),
          groups: await groupsOf(admin, prefix, ends, begin),
        };
      }),
    read: ({ after, limit }) => {
      const mark = readMark(after);
      return use(async ({ admin, consumer }) => {
        const topics = await topicsOf(admin, prefix);
        if (topics.length === 0) return { items: [], after: markOf({}), skipped: 0 };
        consumer.topics.trackAll(...topics);
        const metadata = await admin.metadata({ topics });
        return await newest(consumer, metadata, await offsetsOf(admin, metadata, LATEST), mark, limit);
      });
    },
    close,
  };
}

function openClients(bootstrap: readonly string[], security: KafkaSecurity | undefined) {
  const options = {
    ...{ clientId: "troupe-tail", timeout: WITHIN_MS, connectTimeout: WITHIN_MS, retries: 0 },
    ...connectionOptions(
      bootstrap.map((broker) => broker.trim()),
      security,
    ),
  };
  return {
    admin: new Admin(options),
    consumer: new Consumer<Buffer, Buffer, Buffer, Buffer>({ ...options, groupId: "troupe-tail-joins-nothing" }),
  };
}

async function topicsOf(admin: Admin, prefix: string): Promise<string[]> {
  const names = await admin.listTopics({ includeInternals: false });
  return names
    .filter((name) => name.startsWith(prefix))
    .toSorted()
    .slice(0, TOPICS);
}

async function offsetsOf(admin: Admin, { topics }: ClusterMetadata, timestamp: bigint): Promise<readonly End[]> {
  const asked = [...topics].map(([name, { partitionsCount }]) => ({
    name,
    partitions: Array.from({ length: partitionsCount }, (_, partitionIndex) => ({ partitionIndex, timestamp })),
  }));
  const listed = await admin.listOffsets({ topics: asked });
  return listed.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, offset }) => ({ topic: name, partition: partitionIndex, end: offset })),
  );
}

async function groupsOf(
  admin: Admin,
  prefix: string,
  ends: readonly End[],
  begins: ReadonlyMap<string, bigint>,
): Promise<readonly TailGroup[]> {
  const ids = [...(await admin.listGroups()).keys()].filter((id) => id.startsWith(prefix)).slice(0, GROUPS);
  if (ids.length === 0) return [];
  const topics = [...Map.groupBy(ends, ({ topic }) => topic)].map(([name, partitions]) => ({
    name,
    partitionIndexes: partitions.map(({ partition }) => partition),
  }));
  const offsets = await admin.listConsumerGroupOffsets({ groups: ids.map((groupId) => ({ groupId, topics })) });
  const end = new Map(ends.map((one) => [placeOf(one), one.end]));
  return offsets.flatMap(({ groupId, topics: read }) =>
    read.flatMap(({ name, partitions }): readonly TailGroup[] => {
      // A group that has committed nothing of a topic does not read it.
      if (partitions.every(({ committedOffset }) => committedOffset < 0n)) return [];
      const lag = partitions.reduce((sum, { partitionIndex, committedOffset }) => {
        const place = `${name}/${partitionIndex}`;
        const done = committedOffset < 0n ? (begins.get(place) ?? 0n) : committedOffset;
        return sum + Math.max(0, Number((end.get(place) ?? done) - done));
      }, 0);
      return [{ name: groupId, place: name, lag, inFlight: null }];
    }),
  );
}

/** Tail.T1: of each partition that moved its newest, and of these the newest. */
async function newest(
  consumer: Consumer,
  metadata: ClusterMetadata,
  ends: readonly End[],
  mark: Readonly<Record<string, string>>,
  limit: number,
): Promise<TailPage> {
  const seen = (one: End): bigint | undefined => (placeOf(one) in mark ? BigInt(mark[placeOf(one)] ?? 0) : undefined);
  const moved = ends.filter((one) => one.end > (seen(one) ?? 0n));
  const came = moved.reduce((sum, one) => sum + Number(one.end - (seen(one) ?? one.end)), 0);
  const each = Math.min(limit, Math.ceil((limit * SPARE) / Math.max(1, moved.length)));
  const wanted = moved.map((one) => {
    const from = one.end - BigInt(each);
    const behind = seen(one) ?? 0n;
    return { ...one, from: from > behind ? from : behind };
  });
  const byLeader = Map.groupBy(wanted, ({ topic, partition }) => {
    return metadata.topics.get(topic)?.partitions[partition]?.leader ?? -1;
  });
  const fetched = await Promise.all([...byLeader].map(([node, list]) => fetchFrom(consumer, metadata, node, list)));
  const items = fetched
    .flat()
    .toSorted((a, b) => (a.at ?? "").localeCompare(b.at ?? ""))
    .slice(-limit);
  const next = Object.fromEntries(ends.map((one) => [placeOf(one), String(one.end)]));
  return { items, after: markOf(next), skipped: Math.max(0, came - items.length) };
}

async function fetchFrom(
  consumer: Consumer,
  metadata: ClusterMetadata,
  node: number,
  wanted: readonly (End & { readonly from: bigint })[],
): Promise<readonly TailedMessage[]> {
  const byTopic = Map.groupBy(wanted, ({ topic }) => topic);
  const names = new Map([...byTopic.keys()].map((topic) => [metadata.topics.get(topic)?.id ?? "", topic]));
  const { responses } = await consumer.fetch({
    ...{ node, minBytes: 1, maxWaitTime: 100 },
    topics: [...byTopic].map(([topic, partitions]) => ({
      topicId: metadata.topics.get(topic)?.id ?? "",
      partitions: partitions.map(({ partition, from }) => ({
        ...{ partition, fetchOffset: from, partitionMaxBytes: PARTITION_BYTES },
        ...{ currentLeaderEpoch: -1, lastFetchedEpoch: -1 },
      })),
    })),
  });
  return responses.flatMap(({ topicId, partitions }) =>
    partitions.flatMap(({ partitionIndex, records }) => {
      const topic = names.get(topicId) ?? "";
      const from = wanted.find((one) => one.topic === topic && one.partition === partitionIndex)?.from ?? 0n;
      return (records ?? []).flatMap((batch) =>
        batch.records.flatMap((record): readonly TailedMessage[] => {
          const offset = batch.firstOffset + BigInt(record.offsetDelta);
          if (offset < from) return []; // a batch comes whole
          const at = new Date(Number(batch.firstTimestamp + record.timestampDelta)).toISOString();
          return [tailed(`${topic}/${partitionIndex}`, offset, at, record)];
        }),
      );
    }),
  );
}

type Bytes = Buffer | null;

function tailed(
  place: string,
  offset: bigint,
  at: string,
  { key, value, headers }: { readonly key: Bytes; readonly value: Bytes; readonly headers: readonly [Bytes, Bytes][] },
): TailedMessage {
  return {
    ...{ place, position: String(offset), at, key: key?.toString() ?? null, sizeBytes: value?.length ?? 0 },
    headers: Object.fromEntries(headers.map(([name, said]) => [name?.toString() ?? "", said?.toString() ?? ""])),
    body: value?.subarray(0, BODY_LETTERS).toString() ?? "",
  };
}

function placeOf({ topic, partition }: Pick<End, "topic" | "partition">): string {
  return `${topic}/${partition}`;
}
