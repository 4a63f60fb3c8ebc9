import type { Deadlines, Expiring } from "../base/deadlines.ts";
import type { CallTaker, Delivery } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";

/** What a caller gets. One for all calls of a kind: a function per call would cost more than many calls. */
export interface CallerSide<Reply> {
  read(body: string | undefined): Reply;
  /** Takes over a call that failed here and may be tried again; `undefined`: the failure is the answer. */
  again(call: PendingCall<Reply>, error: unknown): Promise<Reply> | undefined;
}

/** The caller takes the reply as the JSON it is, and looks after failures itself. */
export const asJson: CallerSide<string | undefined> = { read: (body) => body, again: () => undefined };

/** A call under way on this node: answered by the actor, by its deadline or by its caller, whichever comes first. */
export class PendingCall<Reply> implements Delivery, Expiring {
  readonly envelope: Envelope;
  readonly deadline: number;
  readonly promise: Promise<Reply>;
  list: Expiring["list"];
  before: Expiring | undefined;
  after: Expiring | undefined;
  readonly #deadlines: Deadlines;
  readonly #taker: CallTaker;
  readonly #caller: CallerSide<Reply>;
  #resolve!: (reply: Reply | Promise<Reply>) => void;
  #reject!: (error: unknown) => void;
  settled = false;
  /** Where its caller may give it up by a signal. */
  signal: AbortSignal | undefined;
  #abort: (() => void) | undefined;

  constructor(
    envelope: Envelope,
    deadline: number,
    now: number,
    deadlines: Deadlines,
    taker: CallTaker,
    caller: CallerSide<Reply>,
  ) {
    this.envelope = envelope;
    this.deadline = deadline;
    this.#deadlines = deadlines;
    this.#taker = taker;
    this.#caller = caller;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    deadlines.add(this, deadline - now);
  }

  succeed(body: string | undefined): void {
    if (this.#settle()) this.#resolve(this.#caller.read(body));
  }

  fail(error: unknown): void {
    if (!this.#settle()) return;
    const again = this.#caller.again(this, error);
    if (again === undefined) this.#reject(error);
    else this.#resolve(again);
  }

  expired(): boolean {
    return this.settled;
  }

  expire(): void {
    const { type, key, message, timeoutMs } = this.envelope;
    const text = `Cannot get a reply to ${message} from ${type}/${key} within ${Math.round(timeoutMs)} ms`;
    this.#abandon(new TroupeError("deadline_exceeded", text));
  }

  /** The caller waits no longer once `signal` is aborted. */
  until(signal: AbortSignal): void {
    if (this.settled) return;
    this.signal = signal;
    this.#abort = () => this.cancel();
    signal.addEventListener("abort", this.#abort);
  }

  /** The caller waits no longer. */
  cancel(): void {
    const { type, key, message } = this.envelope;
    this.#abandon(cancelledError(message, `${type}/${key}`));
  }

  #abandon(error: TroupeError): void {
    if (this.settled) return;
    this.fail(error);
    this.#taker.abandon(this, error);
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.#abort !== undefined) this.signal?.removeEventListener("abort", this.#abort);
    this.#deadlines.remove(this);
    return true;
  }
}

/** What a call ends with whose caller gave it up. */
export function cancelledError(message: string, address: string): TroupeError {
  return new TroupeError(
    "cancelled",
    `Cannot wait for the reply to ${message} from ${address} as its caller gave it up`,
  );
}
