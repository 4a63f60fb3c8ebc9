import { RedisSession } from "#infra/redis/session.ts";
import type { Log } from "#runtime";
import { RefusedRouteError, type RoutedBroker } from "./routed.ts";

export interface RoutedRedisOptions {
  readonly url: string;
  readonly log: Log;
  /** Stands before every stream's name. @default "" */
  readonly streamPrefix?: string;
  /** How long entries are kept, in milliseconds; some older ones stay. @default 24 h */
  readonly retentionMs?: number;
}

/**
 * Events as entries of Redis Streams that routes name, with the fields `id`, `type`, `contenttype`, `event` and, where
 * known, `traceparent`. A key that is there and is no stream is refused with reason `route`.
 */
export function routedRedis(options: RoutedRedisOptions): RoutedBroker<"redis"> {
  const { streamPrefix = "", retentionMs = 86_400_000 } = options;
  const session = new RedisSession({ ...options, name: "troupe-routed" });
  return {
    broker: "redis",
    async send({ to, id, type, event, traceparent, at }) {
      const stream = streamPrefix + to.stream;
      const fields = { id, type, contenttype: "application/cloudevents+json", event };
      const trim = { strategy: "MINID", strategyModifier: "~", threshold: at - retentionMs } as const;
      try {
        await session.use(`publish to ${stream}`, (client) =>
          client.xAdd(stream, "*", traceparent === undefined ? fields : { ...fields, traceparent }, { TRIM: trim }),
        );
      } catch (error) {
        if (/WRONGTYPE/.test(textOf(error)))
          throw new RefusedRouteError("route", `The Redis key ${stream} is there and is no stream`);
        throw error;
      }
    },
    check: async () => {
      await session.use("reach Redis", (client) => client.ping());
    },
    close: async () => session.close(),
  };
}

function textOf(error: unknown): string {
  let text = "";
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++) text += ` ${at.message}`;
  return text;
}
