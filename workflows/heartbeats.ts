import type { ActivityInterceptorsFactory } from "@temporalio/worker";

/** Between two signs of life of an activity, in milliseconds. */
const BEAT_EVERY_MS = 1_000;

/** `maxHeartbeatThrottleInterval` of a worker: by itself it would hold signs of life back for most of the time they may be apart. */
export const PASSED_ON_EVERY = "2s";

/**
 * Gives a sign of life every second for each activity whose workflow asks for that (`heartbeatTimeout`), for as long as it runs.
 * So Temporal misses an activity soon after its process was killed, and not when the longest that it may take is over. One that
 * hangs in a living process still has that long.
 *
 * A local activity needs none: it is missed with the workflow task that it runs in, after ten seconds.
 */
export const heartbeats: ActivityInterceptorsFactory = (context) => {
  const { isLocal, heartbeatTimeoutMs = 0 } = context.info;
  if (isLocal || heartbeatTimeoutMs === 0) return {};
  return {
    inbound: {
      async execute(input, next) {
        const beating = setInterval(() => context.heartbeat(), BEAT_EVERY_MS);
        try {
          return await next(input);
        } finally {
          clearInterval(beating);
        }
      },
    },
  };
};
