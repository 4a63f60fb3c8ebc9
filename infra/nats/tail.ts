import { JetStreamApiError, type JetStreamManager, jetstreamManager, type StoredMsg } from "@nats-io/jetstream";
import { BODY_LETTERS, type BrokerTail, markOf, readMark, type TailedMessage, type TailGroup } from "../tail/tail.ts";
import type { NatsLink } from "./connection.ts";

const WITHIN_MS = 3_000;
const STREAM_NOT_FOUND = 10059;
const MESSAGE_NOT_FOUND = 10037;
/** Consumers told of a stream, at most. */
const CONSUMERS = 100;

/** Looks at JetStream streams. One that is not there yet is left out. */
export function natsTail(link: NatsLink, streams: readonly string[]): BrokerTail {
  const manage = <T>(run: (manager: JetStreamManager) => Promise<T>): Promise<T> =>
    link.use("look at streams", WITHIN_MS, async (client) => run(await jetstreamManager(client, { checkAPI: false })));
  return {
    broker: "nats",
    view: () =>
      manage(async (manager) => {
        const found = (await Promise.all(streams.map((stream) => stateOf(manager, stream)))).flat();
        return {
          places: found.map(({ name, messages }) => ({ name, kind: "stream" as const, messages })),
          groups: (await Promise.all(found.map(({ name }) => consumersOf(manager, name)))).flat(),
        };
      }),
    read: ({ after, limit }) => {
      const mark = readMark(after);
      return manage(async (manager) => {
        const next: Record<string, string> = {};
        const items: TailedMessage[] = [];
        let skipped = 0;
        for (const { name, first, last } of (await Promise.all(streams.map((one) => stateOf(manager, one)))).flat()) {
          const seen = mark[name] === undefined ? undefined : Number(mark[name]);
          const from = Math.max(first, last - limit + 1, (seen ?? 0) + 1);
          if (seen !== undefined && seen < last) skipped += Math.max(0, from - seen - 1); // Tail.T1
          items.push(...(await messagesOf(manager, name, from, last)));
          next[name] = String(last);
        }
        return { items, after: markOf(next), skipped };
      });
    },
    close: () => undefined,
  };
}

async function stateOf(manager: JetStreamManager, name: string) {
  try {
    const { state } = await manager.streams.info(name);
    return [{ name, first: state.first_seq, last: state.last_seq, messages: state.messages }];
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return [];
    throw error;
  }
}

async function consumersOf(manager: JetStreamManager, place: string): Promise<readonly TailGroup[]> {
  const groups: TailGroup[] = [];
  for await (const { name, num_pending: lag, num_ack_pending: inFlight } of manager.consumers.list(place)) {
    groups.push({ name, place, lag, inFlight });
    if (groups.length === CONSUMERS) break;
  }
  return groups;
}

async function messagesOf(manager: JetStreamManager, stream: string, from: number, to: number) {
  const sequences = Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  const found = await Promise.all(
    sequences.map((seq) =>
      manager.streams.getMessage(stream, { seq }).catch((error: unknown) => {
        if (error instanceof JetStreamApiError && error.code === MESSAGE_NOT_FOUND) return null; // deleted meanwhile
        throw error;
      }),
    ),
  );
  return found.flatMap((message) => (message === null ? [] : tailed(stream, message)));
}

function tailed(place: string, message: StoredMsg): TailedMessage {
  const { seq, subject, time, header, data } = message;
  const headers = Object.fromEntries([...header.keys()].map((name) => [name, header.get(name)]));
  return {
    ...{ place, position: String(seq), key: null, at: time.toISOString(), sizeBytes: data.length },
    headers: { subject, ...headers },
    body: new TextDecoder().decode(data.subarray(0, BODY_LETTERS)),
  };
}
