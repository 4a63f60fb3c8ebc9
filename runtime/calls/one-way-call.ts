import type { Delivery } from "../message/delivery.ts";
import type { Envelope } from "../ports/envelope.ts";

/** A message whose reply nobody waits for. Only its failure is heard of. */
export class OneWayCall implements Delivery {
  readonly envelope: Envelope;
  readonly #failed: (envelope: Envelope, error: unknown) => void;

  constructor(envelope: Envelope, failed: (envelope: Envelope, error: unknown) => void) {
    this.envelope = envelope;
    this.#failed = failed;
  }

  succeed(): void {
    // Nobody waits.
  }

  fail(error: unknown): void {
    this.#failed(this.envelope, error);
  }
}
