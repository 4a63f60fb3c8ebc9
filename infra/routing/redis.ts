import type { ClientTls } from "#infra/base/tls.ts";
import { isNever } from "#infra/redis/refusal.ts";
import { RedisSession } from "#infra/redis/session.ts";
import { StreamTrimmer } from "#infra/redis/trim.ts";
import type { Log } from "#runtime";
import { RefusedRouteError, type RoutedBroker } from "./routed.ts";

export interface RoutedRedisOptions {
  readonly url: string;
  /** Certificates for `rediss://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls;
  readonly log: Log;
  /** Stands before every stream's name. @default "" */
  readonly streamPrefix?: string;
  /** How long entries are kept, in milliseconds; some older ones stay. @default 24 h */
  readonly retentionMs?: number;
  /** How long those are kept that a consumer group has not acknowledged, in milliseconds. @default 7 days */
  readonly unreadRetentionMs?: number;
}

/**
 * Events as entries of Redis Streams that routes name, with the fields `id`, `type`, `contenttype`, `event` and, where
 * known, `traceparent`. A key that is there and is no stream, or may not be written, is refused with reason `route`.
 */
export function routedRedis(options: RoutedRedisOptions): RoutedBroker<"redis"> {
  const { streamPrefix = "" } = options;
  const session = new RedisSession({ ...options, name: "troupe-routed" });
  const trimmer = new StreamTrimmer(options);
  return {
    broker: "redis",
    async send({ to, id, type, event, traceparent }) {
      const stream = streamPrefix + to.stream;
      const fields = { id, type, contenttype: "application/cloudevents+json", event };
      try {
        await session.use(`publish to ${stream}`, (client) =>
          client.xAdd(stream, "*", traceparent === undefined ? fields : { ...fields, traceparent }),
        );
      } catch (error) {
        if (isNever(error))
          throw new RefusedRouteError("route", `The Redis key ${stream} does not take it: ${(error as Error).message}`);
        throw error;
      }
      await session.use("trim streams", (client) => trimmer.trim(client, new Set([stream]))).catch(() => undefined);
    },
    check: async () => {
      await session.use("reach Redis", (client) => client.ping());
    },
    close: async () => session.close(),
  };
}
