import type { Envelope } from "../ports/envelope.ts";
import type { Pause } from "../ports/store.ts";

/**
 * Every error the runtime answers a call with, as a closed list. What happens next:
 *
 * | code | retryable | meaning |
 * |---|---|---|
 * | `refused` | no | the actor said no; `reason` and `data` say why; nothing was written |
 * | `invalid_input` | no | the input or key does not fit its schema; `issues` name every place |
 * | `unknown_actor` | no | no actor type of that name is registered |
 * | `unknown_message` | no | the actor type has no such message |
 * | `message_id_reused` | no | the id was used before with another input |
 * | `mailbox_full` | yes | the actor has too many waiting messages; nothing was written |
 * | `overloaded` | yes | more comes than can be committed; nothing was written; `retryAfterMs` says when to ask again |
 * | `turn_failed` | no | the handler threw; nothing was written; the cause stays in the log. |
 * | `commit_failed` | yes | the commit was rolled back; nothing was written |
 * | `fenced` | yes | another node owns the partition now; nothing was written |
 * | `deadline_exceeded` | yes | no reply in time, or three nodes ended one after the other while they had the message; the turn may still commit: retry with the same id |
 * | `unavailable` | yes | no node owns the partition right now, or it cannot be reached |
 * | `state_too_large` | no | the new state is over the limit; nothing was written |
 * | `event_too_large` | no | an event or broadcast is over the limit; nothing was written |
 * | `call_cycle` | no | the call would wait for itself |
 * | `ask_failed` | yes | an actor that the turn asked could not be reached; nothing of this turn was written, what it asked for may have been |
 * | `cancelled` | no | the caller stopped waiting (`CallOptions.signal`); the turn may still commit |
 * | `state_unreadable` | yes | the stored state cannot be brought to the schema version of this code; `found`, `known`, `problem` say why; it stays as it is |
 * | `index_incomplete` | yes | actors stored before a field was indexed are still being added to the index |
 * | `paused` | yes | the actor takes no commands until it is resumed; nothing was written |
 * | `stopping` | yes | this node is shutting down |
 */
export const TROUPE_ERROR_CODES = [
  "refused",
  "invalid_input",
  "unknown_actor",
  "unknown_message",
  "message_id_reused",
  "mailbox_full",
  "overloaded",
  "turn_failed",
  "commit_failed",
  "fenced",
  "deadline_exceeded",
  "unavailable",
  "state_too_large",
  "event_too_large",
  "call_cycle",
  "ask_failed",
  "cancelled",
  "state_unreadable",
  "index_incomplete",
  "paused",
  "stopping",
] as const;

/** One of {@link TROUPE_ERROR_CODES}. */
export type TroupeErrorCode = (typeof TROUPE_ERROR_CODES)[number];

const RETRYABLE: ReadonlySet<TroupeErrorCode> = new Set([
  "mailbox_full",
  "overloaded",
  "commit_failed",
  "fenced",
  "deadline_exceeded",
  "unavailable",
  "ask_failed",
  "state_unreadable",
  "index_incomplete",
  "paused",
  "stopping",
]);

/**
 * The base of every error a call can end with. Compare `code`; it survives the way between nodes, the class does too.
 *
 * @example
 * ```ts
 * try {
 *   await troupe.ref(Counter, "visits").add({ by: 1 }, { id: "request-1" });
 * } catch (error) {
 *   if (!(error instanceof TroupeError) || !error.retryable) throw error;
 *   await troupe.ref(Counter, "visits").add({ by: 1 }, { id: "request-1" }); // the same id: it acts once
 * }
 * ```
 */
export class TroupeError extends Error {
  readonly code: TroupeErrorCode;
  /** Whether the same call, with the same id, may succeed later. */
  readonly retryable: boolean;

  constructor(code: TroupeErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
    this.retryable = RETRYABLE.has(code);
  }
}

/** How a message is refused. */
export interface RefuseOptions {
  /**
   * A refusal is the answer to the message's id, and its repeats get it too. With `again` it is not: it rests on what may be
   * otherwise when the message comes again. @default false
   */
  readonly again?: boolean;
}

/**
 * The actor refused the message (`c.require`, `c.refuse`). `reason` is the actor's own word, as in `out_of_stock`.
 *
 * @example
 * ```ts
 * const error: unknown = await troupe.ref(Counter, "visits").add({ by: 1 }).catch((thrown: unknown) => thrown);
 * if (error instanceof RefusedError) console.log(error.reason, error.data);
 * ```
 */
export class RefusedError extends TroupeError {
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;

  /** Whether a repeat of the message is handled anew. Known where the actor lives; elsewhere `false`. */
  readonly again: boolean;

  constructor(reason: string, data: Readonly<Record<string, unknown>> = {}, { again = false }: RefuseOptions = {}) {
    super("refused", `Refused: ${reason}`);
    this.reason = reason;
    this.data = data;
    this.again = again;
  }
}

/** One place where an input does not fit. `path` is a JSON pointer (`/lines/0/quantity`). */
export interface InputIssue {
  readonly path: string;
  readonly message: string;
  readonly expected: string;
  readonly received: string;
}

/**
 * The input or the key does not fit its schema. Every issue is named, not just the first.
 *
 * @example
 * ```ts
 * const error: unknown = await troupe.call("counter", "visits", "add", {}).catch((thrown: unknown) => thrown);
 * if (error instanceof InvalidInputError) console.log(error.issues[0]?.path); // "/by"
 * ```
 */
export class InvalidInputError extends TroupeError {
  /** What was to be handled, as in `reserve for stock/TEA-1`. */
  readonly what: string;
  readonly issues: readonly InputIssue[];

  constructor(what: string, issues: readonly InputIssue[]) {
    super(
      "invalid_input",
      `Cannot handle ${what} as its input does not fit: ${issues.map((i) => `${i.path || "/"} ${i.message}`).join("; ")}`,
    );
    this.what = what;
    this.issues = issues;
  }
}

/** The mailbox is at its bound. Carries the refused envelope, so that the caller can put it elsewhere. */
export class MailboxFullError extends TroupeError {
  readonly envelope: Envelope;
  readonly limit: number;

  constructor(envelope: Envelope, limit: number) {
    super(
      "mailbox_full",
      `Cannot enqueue ${envelope.message} for ${envelope.type}/${envelope.key} as the mailbox is full: depth is ${limit}, limit is ${limit}`,
    );
    this.envelope = envelope;
    this.limit = limit;
  }
}

/** More messages come than can be committed: this one was not begun. */
export class OverloadedError extends TroupeError {
  /** The actor it was for. */
  readonly address: string;
  /** When it is worth to ask again, in milliseconds. */
  readonly retryAfterMs: number;

  constructor(address: string, retryAfterMs: number) {
    super("overloaded", `Cannot take a message for ${address} as too many wait: ask again in ${retryAfterMs} ms`);
    this.address = address;
    this.retryAfterMs = retryAfterMs;
  }
}

/**
 * Why a stored state cannot be used: written by `newer` code; `no_step` leads from its version to the next; a step threw
 * (`step_failed`); or what came out does not fit the state's schema (`misfit`).
 */
export type StateProblem = "newer" | "no_step" | "step_failed" | "misfit";

/**
 * A stored state cannot be brought to the schema version that this code knows. Nothing is overwritten: the actor answers
 * again as soon as code that can read it runs.
 */
export class StateUnreadableError extends TroupeError {
  /** The actor's address. */
  readonly actor: string;
  /** The schema version the state was written with. */
  readonly found: number;
  /** The schema version of this code. */
  readonly known: number;
  readonly problem: StateProblem;

  constructor(actor: string, found: number, known: number, problem: StateProblem, options?: ErrorOptions) {
    super(
      "state_unreadable",
      `Cannot read the state of ${actor} as ${STATE_PROBLEMS[problem]}: found is version ${found}, known is version ${known}`,
      options,
    );
    this.actor = actor;
    this.found = found;
    this.known = known;
    this.problem = problem;
  }
}

const STATE_PROBLEMS: Readonly<Record<StateProblem, string>> = {
  newer: "newer code wrote it",
  no_step: "no migration leads on from its version",
  step_failed: "a migration failed",
  misfit: "what its migrations made of it does not fit the schema",
};

/** The actor is paused. Its timers and sends wait; a call may be repeated, with the same id, once it was resumed. */
export class PausedError extends TroupeError {
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly reason: string;

  constructor(address: string, { since, reason }: Pause) {
    super(
      "paused",
      `Cannot handle a message of ${address} as it is paused since ${new Date(since).toISOString()}: ${reason}`,
    );
    this.address = address;
    this.since = since;
    this.reason = reason;
  }
}
