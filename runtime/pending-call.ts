import type { Delivery } from "./activation-host.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import type { Envelope } from "./envelope.ts";
import { TroupeError } from "./errors.ts";

/** Who has taken a call, and is told when nobody waits for it any more. */
export interface CallTaker {
  abandon(call: Delivery, reason: TroupeError): void;
}

/** A call under way on this node: answered by the actor, by its deadline or by its caller, whichever comes first. */
export class PendingCall implements Delivery, Expiring {
  readonly envelope: Envelope;
  readonly deadline: number;
  readonly promise: Promise<string | undefined>;
  readonly #taker: CallTaker;
  #resolve!: (body: string | undefined) => void;
  #reject!: (error: unknown) => void;
  settled = false;

  constructor(envelope: Envelope, deadline: number, deadlines: Deadlines, taker: CallTaker) {
    this.envelope = envelope;
    this.deadline = deadline;
    this.#taker = taker;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    deadlines.add(this);
  }

  succeed(body: string | undefined): void {
    if (this.#settle()) this.#resolve(body);
  }

  fail(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  expired(): boolean {
    return this.settled;
  }

  expire(): void {
    const { type, key, message, timeoutMs } = this.envelope;
    const text = `Cannot get a reply to ${message} from ${type}/${key} within ${Math.round(timeoutMs)} ms`;
    this.#abandon(new TroupeError("deadline_exceeded", text));
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
