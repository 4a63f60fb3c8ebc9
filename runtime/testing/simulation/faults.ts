/** Everything that a seed may make go wrong. */
export const FAULT_KINDS = [
  /** The transport takes its time, so that calls overtake each other. */
  "transport-delay",
  /** A call or its reply never arrives. */
  "transport-loss",
  /** A call that carries an id arrives twice. One without an id does not: the port promises at most once. */
  "transport-repeat",
  /** A node stands still for longer than its lease, then goes on as if nothing had been. */
  "pause",
  /** A node dies in some moment, and comes back under a new id. */
  "crash",
  /** A node dies with a commit on its lips. */
  "crash-before-commit",
  /** A node dies with the commit written and nobody told. */
  "crash-after-commit-before-reply",
  /** A node dies with events at the sink and the cursor where it was. */
  "crash-after-publish",
  /** A node stops as planned, and comes back under a new id. */
  "stop",
  /** A commit's answer is lost: written or not; or written much later, as far as the fence lets it. */
  "commit-unknown",
  /** As `commit-unknown`, but the connection dies with an error that nobody has on a list. */
  "commit-lost",
  /** The store refuses a commit. */
  "commit-refused",
  /** The store refuses every commit that holds one certain actor, for as long as things go wrong. */
  "actor-refused",
  /** The store takes no commit for a while, of several leases even; what comes meanwhile waits there. */
  "store-stalled",
  /** The answer to a read comes late: others have written meanwhile. */
  "read-late",
  /** The store fails to read or renew. */
  "store-error",
  /** The store takes its time. */
  "store-slow",
  /** A sink takes nothing for a while. */
  "sink-down",
  /** A sink's acknowledgement is lost, of all or of a part of a batch: it gets the records again. */
  "sink-repeat",
  /** A sink acknowledges late. */
  "sink-slow",
  /** The clocks of the nodes differ, by up to 250 ms either way. */
  "clock-skew",
] as const;

/** One of {@link FAULT_KINDS}. */
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Where a node can be made to die by chance. */
export const CRASH_POINTS = ["before-commit", "after-commit-before-reply", "after-publish"] as const;

/** Where a node can be made to die: one of {@link CRASH_POINTS}, or `in-turn`, when a handler begins. */
export type CrashPoint = (typeof CRASH_POINTS)[number] | "in-turn";

/** A crash at a point of the way. Made by {@link crashAt}. */
export interface PlacedCrash {
  readonly point: CrashPoint;
  readonly actor: string | undefined;
  /** The message whose handler begins; `undefined`: any. Only for `in-turn`. */
  readonly message: string | undefined;
  readonly nth: number;
  /** Also every later time. */
  readonly always: boolean;
}

/** Where {@link crashAt} strikes. */
export interface CrashPlace {
  /** As in `account/a`. Default: any. */
  readonly actor?: string;
  /** Only for `in-turn`. Default: any. */
  readonly message?: string;
  /** Default 1. */
  readonly nth?: number;
  /** Whether nodes die there every time from the `nth` on, until everything heals. Default `false`. */
  readonly always?: boolean;
}

/**
 * Places a crash by hand: the node that passes `point` for the `nth` time (counted over all nodes, default 1) dies there,
 * and comes back later under a new id. With `actor` (`"account/a"`) only commits, events and turns of that actor count. A
 * message that kills every node that handles it: `crashAt("in-turn", { message: "explode", always: true })`.
 *
 * @example
 * ```ts
 * await simulate({
 *   seed: 1,
 *   actors: [Counter],
 *   faults: [crashAt("after-commit-before-reply", { actor: "counter/a" })],
 *   workload: ({ ref, step }) => ref(Counter, "a", { tries: 3 }).add({ by: 1 }, { id: `add-${step}` }),
 * });
 * ```
 */
export function crashAt(point: CrashPoint, { actor, message, nth = 1, always = false }: CrashPlace = {}): PlacedCrash {
  return { point, actor, message, nth, always };
}

/** What goes wrong: kinds for the seed to draw from, and crashes placed by hand. */
export type Fault = FaultKind | PlacedCrash;
