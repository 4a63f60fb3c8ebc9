/** Every way a history can break a promise, with the promise and what it means. */
export const VIOLATION_KINDS = {
  "overlapping-turns": ["G1", "two turns of one actor ran at the same time, and both count"],
  "partial-turn": ["G2", "a commit holds something else than what its turns left behind"],
  "trace-left": ["G2", "a turn began on a state that no durable turn had left behind"],
  "written-but-failed": ["G2", "a call was told that nothing was written, but something was"],
  "stored-differs": ["G2", "in the end the store holds something else than was committed"],
  "answered-before-durable": ["G3", "a call was answered whose turn was not durable"],
  "undurable-answer": ["G3", "a query, a refusal or a reply without effect rests on a state that was not durable"],
  "stale-write": ["G4", "a node wrote to a partition that it did not hold"],
  "version-fork": ["G4", "a state was written over by one that does not follow it"],
  "version-gap": ["G4", "a state was written that no known turn had made"],
  "stale-answer": ["G4", "an answer rests on a state that was no longer the present one when the call was made"],
  "effect-twice": ["G5", "one message id took effect more than once"],
  "answers-differ": ["G5", "one message id got different answers"],
  "id-reused": ["G5", "one message id was taken with different inputs"],
  "sequence-gap": ["G6", "the outbox of a partition is not numbered without gaps"],
  "phantom-record": ["G6", "something left the system that was not committed"],
  "record-lost": ["G6", "a committed record never reached its sink"],
  "record-order": ["G6", "a sink got the records of one actor in another order than they were committed"],
  "repeat-differs": ["G6", "a sink got the same id with another content"],
  "send-lost": ["G6", "a committed send never took effect, and is no dead letter"],
  "send-order": ["G6", "sends from one actor to another took effect in another order than they were committed"],
  "timer-early": ["G7", "a timer fired before its time"],
  "timer-lost": ["G7", "a timer that was due did not fire"],
  "timer-not-set": ["G7", "a timer took effect that was not set any more"],
  "neighbour-failed": ["G8", "a message failed for what another actor did"],
  "neighbour-held": ["G8", "an actor whose commits are always refused was put together with others again and again"],
  "backlog-overflow": ["G9", "more turns of an actor waited for their commit than its mailbox may hold"],
  "mailbox-overflow": ["G9", "a mailbox held more than its limit"],
  stuck: ["rest", "long after the last fault something had not come to rest"],
  invariant: ["user", "an invariant of the simulation does not hold"],
} as const;

/** One of {@link VIOLATION_KINDS}. */
export type ViolationKind = keyof typeof VIOLATION_KINDS;

/** A broken promise. */
export interface Violation {
  readonly kind: ViolationKind;
  /** Which promise of `runtime/DESIGN.md`: `G1` to `G9`; `rest` and `user` stand beside them. */
  readonly promise: string;
  readonly message: string;
  /** Where in the history it shows: an index. */
  readonly index: number;
  /** What it concerns, to find the lines of the history that tell about it: addresses and ids. */
  readonly about: readonly string[];
}

/** Makes a violation of a kind. `detail` says what exactly. */
export function violation(kind: ViolationKind, index: number, detail: string, about: readonly string[]): Violation {
  const [promise, meaning] = VIOLATION_KINDS[kind];
  return { kind, promise, message: `${meaning}: ${detail}`, index, about };
}
