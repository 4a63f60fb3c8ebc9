import { trustedProxies } from "#actors/access/guard/client-address.ts";
import { Guard } from "#actors/access/guard/guard.ts";
import type { RateLimit } from "#actors/access/guard/rate-limiter.ts";
import { SharedLimiter } from "#actors/access/guard/shared-limiter.ts";
import { RedisBuckets } from "#infra/redis/buckets.ts";
import type { Log, Troupe } from "#runtime";
import type { Connections } from "./connections.ts";
import { type Keys, openKeys } from "./keys.ts";
import type { Settings } from "./settings.ts";

/** What {@link openAccess} is given. */
export interface AccessOptions {
  readonly settings: Settings;
  /** What may change while the process runs. */
  readonly live: () => Settings;
  readonly connections: Pick<Connections, "topics" | "security">;
  /** @throws while the actor system is not there yet. */
  readonly troupe: () => Troupe;
  /** Resolves when it is. */
  readonly started: Promise<void>;
  /** The address of whoever sent a request. */
  readonly peer: (request: Request) => string | undefined;
  /** Told whenever the keys may be others now. */
  readonly changed: () => void;
  readonly log: Log;
}

/** Who may ask this process for what, and how often. */
export interface Access {
  readonly guard: Guard;
  /** `undefined`: nobody needs a key. */
  readonly keys: Keys | undefined;
  stop(): void;
}

/** Opens the keys, unless `TROUPE_AUTH` is off, and what requests are counted by. */
export function openAccess(options: AccessOptions): Access {
  const { settings, live, connections, troupe, started, peer, changed, log } = options;
  const keys =
    settings.TROUPE_AUTH === "off"
      ? undefined
      : openKeys({
          troupe,
          started,
          topics: connections.topics,
          adminKey: settings.TROUPE_ADMIN_KEY,
          changed,
          log,
          show: (line) => console.error(line),
        });
  const buckets = bucketsOf(settings, connections, log);
  return {
    keys,
    guard: new Guard({
      limiter: buckets && new SharedLimiter({ buckets, log }),
      authenticate: keys && ((secret) => keys.directory.find(secret)),
      rateLimit: () => rateLimitOf(live()),
      peer,
      trustedProxies: trustedProxies(settings.TRUSTED_PROXIES),
    }),
    stop() {
      keys?.stop();
      buckets?.close();
    },
  };
}

/** Where requests are counted; `undefined`: each process counts for itself. */
function bucketsOf(
  { API_RATE_LIMIT_STORE, REDIS_URL, TROUPE_CLUSTER }: Settings,
  { security }: Pick<Connections, "security">,
  log: Log,
): RedisBuckets | undefined {
  if (API_RATE_LIMIT_STORE !== "redis" || REDIS_URL === undefined) return undefined;
  return new RedisBuckets({ url: REDIS_URL, tls: security.tls, log, prefix: `${TROUPE_CLUSTER}:rate:` });
}

function rateLimitOf({ API_RATE_LIMIT, API_RATE_LIMIT_BURST }: Settings): RateLimit | undefined {
  if (API_RATE_LIMIT === 0) return undefined;
  return { perSecond: API_RATE_LIMIT, burst: API_RATE_LIMIT_BURST ?? 2 * API_RATE_LIMIT };
}
