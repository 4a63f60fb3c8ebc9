import { silentLog } from "#runtime";
import type { ClientTls } from "../base/tls.ts";
import { BODY_LETTERS, type BrokerTail, markOf, readMark, type TailedMessage, type TailGroup } from "../tail/tail.ts";
import type { RedisClient } from "./client.ts";
import { RedisSession } from "./session.ts";

/** Streams looked at, and keys asked for them: a server may hold millions. */
const STREAMS = 50;
const SCANS = 20;
const SCANNED = 1_000;
const WITHIN_MS = 3_000;
const COUNTED = "/added";

/** What {@link redisTail} is given. */
export interface RedisTailOptions {
  readonly url: string;
  readonly tls?: ClientTls | undefined;
  /** Stands before every stream's name. @default "" */
  readonly streamPrefix?: string;
}

/** Looks at the streams of events: `<prefix>events:*`. */
export function redisTail({ url, tls, streamPrefix = "" }: RedisTailOptions): BrokerTail {
  const session = new RedisSession({ url, tls, log: silentLog, name: "troupe-tail", deadlineMs: WITHIN_MS });
  const pattern = `${streamPrefix.replaceAll(/[*?[\]\\^]/g, "\\$&")}events:*`;
  return {
    broker: "redis",
    view: () =>
      session.use("look at streams", async (client) => {
        const streams = await streamsOf(client, pattern);
        const lengths = await Promise.all(streams.map((stream) => client.xLen(stream)));
        return {
          places: streams.map((name, i) => ({ name, kind: "stream" as const, messages: lengths[i] ?? 0 })),
          groups: (await Promise.all(streams.map((stream) => groupsOf(client, stream)))).flat(),
        };
      }),
    read: ({ after, limit }) => {
      const mark = readMark(after);
      return session.use("look at streams", async (client) => {
        const next: Record<string, string> = {};
        const items: TailedMessage[] = [];
        let skipped = 0;
        for (const stream of await streamsOf(client, pattern)) {
          const seen = mark[stream];
          const newest =
            (await client.xRevRange(stream, "+", seen === undefined ? "-" : `(${seen}`, { COUNT: limit })) ?? [];
          const added = Number((await client.xInfoStream(stream))["entries-added"] ?? 0);
          const before = mark[stream + COUNTED];
          if (before !== undefined) skipped += Math.max(0, added - Number(before) - newest.length); // Tail.T1
          items.push(...newest.toReversed().map(({ id, message }) => tailed(stream, id, message)));
          next[stream] = newest[0]?.id ?? seen ?? "0-0";
          next[stream + COUNTED] = String(added);
        }
        items.sort((a, b) => (a.at ?? "").localeCompare(b.at ?? ""));
        return {
          items: items.slice(-limit),
          after: markOf(next),
          skipped: skipped + Math.max(0, items.length - limit),
        };
      });
    },
    close: () => session.close(),
  };
}

async function streamsOf(client: RedisClient, pattern: string): Promise<readonly string[]> {
  const found = new Set<string>();
  let cursor = "0";
  for (let scan = 0; scan < SCANS && found.size < STREAMS; scan++) {
    const page = await client.scan(cursor, { MATCH: pattern, COUNT: SCANNED, TYPE: "stream" });
    for (const key of page.keys) found.add(String(key));
    cursor = String(page.cursor);
    if (cursor === "0") break;
  }
  return [...found].toSorted().slice(0, STREAMS);
}

async function groupsOf(client: RedisClient, place: string): Promise<readonly TailGroup[]> {
  const groups = await client.xInfoGroups(place);
  return groups.map(({ name, pending, lag }) => ({
    ...{ name: String(name), place },
    lag: Number(lag ?? 0),
    inFlight: Number(pending),
  }));
}

function tailed(place: string, position: string, message: Readonly<Record<string, unknown>>): TailedMessage {
  const { event, ...headers } = Object.fromEntries(
    Object.entries(message).map(([name, value]) => [name, String(value)]),
  );
  const body = event ?? "";
  return {
    ...{ place, position, key: null, headers },
    at: new Date(Number.parseInt(position, 10)).toISOString(),
    body: body.slice(0, BODY_LETTERS),
    sizeBytes: Buffer.byteLength(body),
  };
}
