import { type Clock, systemClock } from "../base/clock.ts";
import type { PublishResult } from "../ports/sink.ts";
import type { OutboxRecord } from "../ports/store.ts";
import type { Topics } from "../ports/topics.ts";
import { TopicHub } from "./hub.ts";
import type { TopicLimits } from "./log.ts";
import { isTopic } from "./name.ts";

/** Options of {@link memoryTopics}: the bounds of its history, and what its age is counted by. */
export interface MemoryTopicsOptions extends Partial<TopicLimits> {
  readonly clock?: Clock;
}

const ACKED: PublishResult = { kind: "acked" };

/**
 * Topics in memory: for one process, with a history that ends with it. Several nodes in one process may share them.
 *
 * Default history: 10,000 messages, 10 minutes, 16 M characters, whichever comes first. A repeat of one of the last
 * `maxMessages` ids is dropped.
 *
 * @example
 * ```ts
 * const topics = memoryTopics();
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, topics });
 * const following = await node.topics.subscribe(["counters/visits"]);
 * for await (const item of following) if (item.kind === "message") console.log(item.id, item.type, item.data);
 * ```
 */
export function memoryTopics(options: MemoryTopicsOptions = {}): Topics {
  const { clock = systemClock, maxMessages = 10_000, maxAgeMs = 600_000, maxLength = 16_777_216 } = options;
  const hub = new TopicHub({ clock, limits: { maxMessages, maxAgeMs, maxLength } });
  hub.restart(newGeneration(), 0);
  const seen = new Set<string>();
  /** The same ids in a ring: to ask the set for its oldest one would walk over all that were deleted. */
  const ring: string[] = [];
  let next = 0;

  function publish({ id, target, name, body }: OutboxRecord): PublishResult {
    if (!isTopic(target)) return { kind: "refused", detail: `"${target.slice(0, 80)}" names no topic` };
    if (seen.has(id)) return ACKED;
    seen.add(id);
    const oldest = ring[next];
    if (oldest !== undefined) seen.delete(oldest);
    ring[next] = id;
    next = (next + 1) % maxMessages;
    hub.publish(hub.log.end + 1, target, name, body);
    return ACKED;
  }

  return {
    sink: {
      name: "topics",
      accepts: "broadcast",
      lane: { kind: "batch", maxBatch: 1_000 },
      publish: async (records) => records.map(publish),
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
    subscribe: (topics, subscription) => hub.subscribe(topics, subscription),
    close: async () => hub.close(),
  };
}

/** Unlike that of any other process: ids of an earlier run say nothing here. */
function newGeneration(): string {
  const [random = 0] = crypto.getRandomValues(new Uint32Array(1));
  return `${Date.now().toString(36)}${random.toString(36)}`;
}
