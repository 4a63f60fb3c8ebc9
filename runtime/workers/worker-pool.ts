/**
 * The copies of one stateless worker on this node.
 *
 * Owns: the runs under way, the calls that wait for a copy. Does not own: on which node a call is worked on (`Workers`).
 * Calls in: `deliver`, `abandon`, `stop`. Calls out: the handler; the call's `succeed` and `fail`.
 *
 * W1 At most `copies` runs are under way (G9): handlers that await. One that answers at once never holds a copy.
 * W2 At most `mailbox.max` calls wait; one more is refused, and was not begun.
 * W3 A run that is over its limit holds its copy no longer: what it still does counts for nothing.
 */
import { Mailbox } from "../activation/mailbox.ts";
import type { AnyWorkDefinition, AnyWorkerType } from "../actor/any-actor.ts";
import type { DeadlineList, Deadlines, Expiring } from "../base/deadlines.ts";
import { durationMs } from "../base/duration.ts";
import { DEFAULT_TURN_LIMIT } from "../base/limits.ts";
import type { CallTaker, Delivery } from "../message/delivery.ts";
import { InvalidInputError, MailboxFullError, RefusedError, TroupeError } from "../message/errors.ts";
import { replyText } from "../message/reply-text.ts";
import { parseInput } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Span } from "../ports/tracing.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import { failureOf } from "../turn/handlers.ts";
import { Work, type WorkParts } from "./work.ts";

const COPIES = 32;
const WAITING = 1_000;

/** What the copies of a worker work with. */
export interface WorkerPoolParts extends WorkParts {
  readonly limits: Deadlines;
  readonly metrics: NodeMetrics | undefined;
  readonly spans: NodeSpans | undefined;
  /** A handler threw what is no refusal. */
  failed(envelope: Envelope, error: unknown): void;
}

/** A run under way whose handler awaits. */
class Run implements Expiring {
  readonly delivery: Delivery;
  readonly work: Work;
  readonly span: Span | undefined;
  readonly deadline: number;
  list: DeadlineList | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
  readonly #late: (run: Run) => void;

  constructor(delivery: Delivery, work: Work, span: Span | undefined, deadline: number, late: (run: Run) => void) {
    this.delivery = delivery;
    this.work = work;
    this.span = span;
    this.deadline = deadline;
    this.#late = late;
  }

  expire(): void {
    this.#late(this);
  }
}

export class WorkerPool implements CallTaker {
  readonly type: AnyWorkerType;
  readonly #copies: number;
  readonly #limitMs: number;
  readonly #parts: WorkerPoolParts;
  readonly #runs = new Set<Run>();
  readonly #waiting: Mailbox<Delivery>;
  #stopping = false;
  /** Told when nothing is under way any more. */
  #rested: (() => void) | undefined;

  constructor(type: AnyWorkerType, parts: WorkerPoolParts) {
    this.type = type;
    this.#copies = type.options.copies ?? COPIES;
    this.#limitMs = durationMs(type.options.turnLimit ?? DEFAULT_TURN_LIMIT);
    this.#waiting = new Mailbox(type.options.mailbox?.max ?? WAITING);
    this.#parts = parts;
  }

  /** Whether a call that comes now is begun at once. */
  get free(): boolean {
    return !this.#stopping && this.#runs.size < this.#copies;
  }

  get running(): number {
    return this.#runs.size;
  }

  get waiting(): number {
    return this.#waiting.depth;
  }

  deliver(delivery: Delivery): void {
    if (this.#stopping) delivery.fail(stopping(this.type.type));
    else if (this.#runs.size < this.#copies) this.#begin(delivery);
    else if (!this.#waiting.offer(delivery)) {
      this.#parts.metrics?.turnAway(this.type.type);
      delivery.fail(new MailboxFullError(delivery.envelope, this.#waiting.max)); // WorkerPool.W2
    }
  }

  abandon(call: Delivery, reason: TroupeError): void {
    this.#waiting.remove((waiting) => waiting === call);
    for (const run of this.#runs) if (run.delivery === call) run.work.abort(reason);
  }

  /** Refuses what comes and what waits, and lets what is under way come to its end until `deadline`. */
  async stop(deadline: Promise<unknown>): Promise<void> {
    this.#stopping = true;
    const error = stopping(this.type.type);
    for (const delivery of this.#waiting.drain()) delivery.fail(error);
    if (this.#runs.size > 0) {
      await Promise.race([new Promise<void>((resolve) => (this.#rested = resolve)), deadline]);
    }
    for (const run of [...this.#runs]) {
      this.#ends(run);
      run.work.abort(error);
      run.span?.end(error);
      run.delivery.fail(error);
    }
  }

  #begin(delivery: Delivery): void {
    const { envelope } = delivery;
    const { clock, spans, limits } = this.#parts;
    const definition = this.type.messages[envelope.message] as AnyWorkDefinition;
    let input: unknown;
    try {
      input = parseInput(definition.in, envelope.input, envelope.message, this.type.type);
    } catch (error) {
      delivery.fail(error);
      return;
    }
    const span = spans?.turn(envelope);
    const work = new Work(delivery, this.#parts, span?.traceparent);
    let outcome: unknown;
    try {
      outcome = definition.handle(work as never, input as never);
    } catch (error) {
      this.#failed(delivery, span, error);
      return;
    }
    if (!(outcome instanceof Promise)) {
      this.#done(delivery, span, outcome);
      return;
    }
    const run = new Run(delivery, work, span, clock.monotonic() + this.#limitMs, (late) => this.#late(late));
    this.#runs.add(run); // WorkerPool.W1
    limits.add(run, this.#limitMs);
    outcome.then(
      (reply) => {
        if (!this.#ends(run)) return;
        this.#done(delivery, span, reply);
        this.#next();
      },
      (error: unknown) => {
        if (!this.#ends(run)) return;
        this.#failed(delivery, span, error);
        this.#next();
      },
    );
  }

  /** WorkerPool.W3 */
  #late(run: Run): void {
    if (!this.#ends(run)) return;
    const text = `Cannot wait longer for ${run.delivery.envelope.message} of ${this.type.type}: limit is ${this.#limitMs} ms`;
    run.work.abort(new TroupeError("turn_failed", text));
    this.#failed(run.delivery, run.span, new Error(text));
    this.#next();
  }

  /** Whether a run ends now; `false` where its time was over before. */
  #ends(run: Run): boolean {
    if (!this.#runs.delete(run)) return false;
    this.#parts.limits.remove(run);
    if (this.#runs.size === 0) this.#rested?.();
    return true;
  }

  #next(): void {
    while (this.free) {
      const delivery = this.#waiting.take();
      if (delivery === undefined) return;
      if (delivery.expired?.() !== true) this.#begin(delivery);
    }
  }

  #done(delivery: Delivery, span: Span | undefined, reply: unknown): void {
    const { envelope } = delivery;
    let body: string | undefined;
    try {
      body = replyText(reply, this.type.type, envelope.message);
    } catch (error) {
      this.#failed(delivery, span, error);
      return;
    }
    this.#parts.metrics?.count(this.type.type, envelope.message, "ok");
    span?.end();
    delivery.succeed(body);
  }

  #failed(delivery: Delivery, span: Span | undefined, error: unknown): void {
    const { envelope } = delivery;
    // Input that does not fit, thrown by a handler, is not its caller's: that was checked before.
    if (!(error instanceof TroupeError) || error instanceof InvalidInputError) this.#parts.failed(envelope, error);
    const answer = { kind: "error", error: failureOf(error, envelope) } as const;
    this.#parts.metrics?.answered(envelope, answer);
    if (error instanceof RefusedError) span?.set({ "troupe.refused": error.reason });
    span?.end(error instanceof RefusedError ? undefined : error);
    delivery.fail(answer.error);
  }
}

function stopping(type: string): TroupeError {
  return new TroupeError("stopping", `Cannot take a message for ${type} as this node is shutting down`);
}
