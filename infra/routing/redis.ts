import type { ClientTls } from "#infra/base/tls.ts";
import { Together } from "#infra/base/together.ts";
import { isAnswer, isNever } from "#infra/redis/refusal.ts";
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

interface Entry {
  readonly stream: string;
  readonly fields: Record<string, string>;
}

/**
 * Events as entries of Redis Streams that routes name, with the fields `id`, `type`, `contenttype`, `event` and, where
 * known, `traceparent`. What is sent in one moment goes in one pipeline. A key that is there and is no stream, or may not be written, is refused with reason `route`.
 */
export function routedRedis(options: RoutedRedisOptions): RoutedBroker<"redis"> {
  const { streamPrefix = "" } = options;
  const session = new RedisSession({ ...options, name: "troupe-routed" });
  const trimmer = new StreamTrimmer(options);

  /** All in one pipeline, each with an answer of its own, and so in one flush of the server's log. */
  async function append(entries: readonly Entry[]): Promise<readonly (void | Error)[]> {
    const outcomes = await session.use(`publish ${entries.length} routed events`, async (client) => {
      const added = entries.map(({ stream, fields }) => client.xAdd(stream, "*", fields));
      const settled = await Promise.allSettled(added);
      for (const outcome of settled) {
        // The connection broke: what became of any of them cannot be told.
        if (outcome.status === "rejected" && !isAnswer(outcome.reason)) throw outcome.reason;
      }
      return settled;
    });
    const streams = new Set(entries.map(({ stream }) => stream));
    await session.use("trim streams", (client) => trimmer.trim(client, streams)).catch(() => undefined);
    return outcomes.map((outcome, i) =>
      outcome.status === "fulfilled" ? undefined : failureOf((entries[i] as Entry).stream, outcome.reason as Error),
    );
  }
  const together = new Together<Entry, void>(append);

  return {
    broker: "redis",
    send({ to, id, type, event, traceparent }) {
      const fields = { id, type, contenttype: "application/cloudevents+json", event };
      return together.add({
        stream: streamPrefix + to.stream,
        fields: traceparent === undefined ? fields : { ...fields, traceparent },
      });
    },
    check: async () => {
      await session.use("reach Redis", (client) => client.ping());
    },
    close: async () => session.close(),
  };
}

function failureOf(stream: string, error: Error): Error {
  if (!isNever(error)) return error;
  return new RefusedRouteError("route", `The Redis key ${stream} does not take it: ${error.message}`);
}
