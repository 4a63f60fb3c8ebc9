import type { Delivery } from "../message/delivery.ts";
import type { Envelope } from "../ports/envelope.ts";

/** A message whose reply nobody waits for. Only its failure is heard of. */
export class OneWayCall implements Delivery {
  readonly envelope: Envelope;
  readonly #failed: (envelope: Envelope, error: unknown) => void;

  readonly #again: (envelope: Envelope, error: unknown) => Promise<unknown> | undefined;

  /** @param again takes over a message that certainly did nothing, as when its partition moves; `undefined`: it has failed. */
  constructor(
    envelope: Envelope,
    failed: (envelope: Envelope, error: unknown) => void,
    again: (envelope: Envelope, error: unknown) => Promise<unknown> | undefined,
  ) {
    this.envelope = envelope;
    this.#failed = failed;
    this.#again = again;
  }

  succeed(): void {
    // Nobody waits.
  }

  fail(error: unknown): void {
    const again = this.#again(this.envelope, error);
    if (again === undefined) this.#failed(this.envelope, error);
    else again.catch((last: unknown) => this.#failed(this.envelope, last));
  }
}
