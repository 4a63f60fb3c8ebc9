import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Randomness } from "../base/randomness.ts";
import { TroupeError, type TroupeErrorCode } from "../message/errors.ts";
import type { Envelope, Seen } from "../ports/envelope.ts";
import { POLL_MS } from "./watch-polls.ts";

/** A poll's answer may be on its way for this long. */
const POLL_GRACE_MS = 5_000;

/** What `watch` yields: a state of an actor that is durable. */
export interface WatchedState<State> {
  /** The initial state where the actor does not exist. */
  readonly state: State;
  /** Turns committed so far. It starts again from 0 when an actor was destroyed. */
  readonly version: number;
  readonly exists: boolean;
}

/** What watching an actor needs from its node. */
export interface WatchHost<State> {
  readonly randomness: Randomness;
  readonly clock: Clock;
  /** Aborted when the watcher has had enough. */
  readonly signal: AbortSignal | undefined;
  /** Whether this node stops. */
  stopping(): boolean;
  /** Asks the actor's owner for a state other than `seen`: JSON as made by `WatchPolls`, or nothing for the time being. */
  poll(seen: Seen | undefined): Promise<string | undefined>;
  initial(): State;
}

/** What passes by itself: the owner moves, stops, or cannot be reached for a while. The next poll finds out. */
const PASSING: ReadonlySet<TroupeErrorCode> = new Set([
  "unavailable",
  "fenced",
  "commit_failed",
  "deadline_exceeded",
  "stopping",
]);

/**
 * The durable states of one actor, newest first known, as a row of polls: a move of the actor is just another poll, and a
 * reader that takes its time meets the newest state next.
 */
export async function* watchActor<State>(host: WatchHost<State>): AsyncGenerator<WatchedState<State>, void, undefined> {
  let seen: Seen | undefined;
  for (let failures = 0; host.signal?.aborted !== true;) {
    let body: string | undefined;
    try {
      body = await host.poll(seen);
      failures = 0;
    } catch (error) {
      if (host.signal?.aborted) return;
      if (host.stopping()) throw new TroupeError("stopping", "Cannot watch on as this node is shutting down");
      if (!(error instanceof TroupeError) || !PASSING.has(error.code)) throw error;
      await pause(host.clock, backoffMs(++failures, host.randomness, 50, 2_000), host.signal);
      continue;
    }
    if (body === undefined) continue;
    const { version, hash, state } = JSON.parse(body) as Seen & { readonly state?: State };
    seen = { version, hash };
    yield { state: state === undefined ? host.initial() : state, version, exists: state !== undefined };
  }
}

function pause(clock: Clock, ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done);
  });
}

/** The message that asks the owner of an actor for a state other than `seen`, as the watch polls answer it. */
export function watchEnvelope(type: string, key: string, seen: Seen | undefined): Envelope {
  return {
    type,
    key,
    message: "watch",
    input: undefined,
    id: undefined,
    origin: { kind: "watch", seen },
    attempt: 1,
    traceparent: undefined,
    callers: [],
    timeoutMs: POLL_MS + POLL_GRACE_MS,
  };
}
