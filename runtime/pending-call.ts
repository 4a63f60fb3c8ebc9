import type { Delivery } from "./activation.ts";
import type { Deadlines, Expiring } from "./deadlines.ts";
import type { Envelope } from "./envelope.ts";
import { TroupeError } from "./errors.ts";

/** A call under way on this node: answered by the actor, or by its deadline, whichever comes first. */
export class PendingCall implements Delivery, Expiring {
  readonly envelope: Envelope;
  readonly deadline: number;
  readonly promise: Promise<string | undefined>;
  #resolve!: (body: string | undefined) => void;
  #reject!: (error: unknown) => void;
  settled = false;

  constructor(envelope: Envelope, deadline: number, deadlines: Deadlines) {
    this.envelope = envelope;
    this.deadline = deadline;
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
    this.fail(
      new TroupeError(
        "deadline_exceeded",
        `Cannot get a reply to ${message} from ${type}/${key} within ${Math.round(timeoutMs)} ms`,
      ),
    );
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    return true;
  }
}
