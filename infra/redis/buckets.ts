import { createHash } from "node:crypto";
import type { Log } from "#runtime";
import type { ClientTls } from "../base/tls.ts";
import type { RedisClient } from "./client.ts";
import { RedisSession } from "./session.ts";

/** What is left of a bucket, in the server's time. */
export interface SharedTake {
  readonly allowed: boolean;
  /** How many may be taken right now. */
  readonly left: number;
  /** Milliseconds until one more may be taken, or where some are left until all may. */
  readonly resetMs: number;
}

export interface RedisBucketsOptions {
  /** `redis://user:password@host:6379/0`, or `rediss://` for TLS. */
  readonly url: string;
  /** Certificates for `rediss://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls;
  readonly log: Log;
  /** Put before the name of each bucket. */
  readonly prefix: string;
}

/**
 * The generic cell rate algorithm: a bucket is one number, the time (µs) at which it would be full again. One script, so that
 * of all who take at once each is counted; the server's clock, so that theirs need not agree.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local each, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
local full = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local wait = full + each - burst * each - now
if wait > 0 then return {0, 0, math.ceil(wait / 1000)} end
full = full + each
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil((full - now) / 1000) + 1)
return {1, math.floor((burst * each - (full - now)) / each), math.ceil((full - now) / 1000)}`;
const TAKE_SHA = createHash("sha1").update(TAKE).digest("hex");

/** A command that has no answer by then, and its connection, are given up. */
const GIVEN_UP_AFTER_MS = 1_000;
const MICROSECONDS = 1_000_000;

/** Token buckets that several processes share. A bucket that is full again is gone from the server by itself. */
export class RedisBuckets {
  readonly #session: RedisSession;
  readonly #prefix: string;

  constructor({ url, tls, log, prefix }: RedisBucketsOptions) {
    this.#session = new RedisSession({ url, tls, log, name: "troupe-rates", deadlineMs: GIVEN_UP_AFTER_MS });
    this.#prefix = prefix;
  }

  /**
   * Takes one of a bucket that holds `burst` and fills with `perSecond`.
   * @throws {RedisUnavailableError} the server is away, or did not answer within a second; one may have been taken.
   */
  async take(
    bucket: string,
    { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  ): Promise<SharedTake> {
    const call = { keys: [this.#prefix + bucket], arguments: [String(MICROSECONDS / perSecond), String(burst)] };
    const answer = await this.#session.use("take of a shared rate", (client) => run(client, call));
    const [allowed, left = 0, resetMs = 0] = answer as readonly number[];
    return { allowed: allowed === 1, left, resetMs };
  }

  close(): void {
    this.#session.close();
  }
}

async function run(client: RedisClient, call: { keys: string[]; arguments: string[] }): Promise<unknown> {
  try {
    return await client.evalSha(TAKE_SHA, call);
  } catch (error) {
    // A server that was restarted has forgotten its scripts.
    if (error instanceof Error && error.message.startsWith("NOSCRIPT")) return await client.eval(TAKE, call);
    throw error;
  }
}
