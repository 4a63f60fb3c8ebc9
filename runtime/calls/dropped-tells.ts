import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";

const TELL_EVERY_MS = 1_000;
const NO_ROOM: ReadonlySet<string> = new Set(["mailbox_full", "overloaded"]);

/** The messages that nobody waits for and that failed: counted, and logged one by one or, where there was no room, once a second. */
export class DroppedTells {
  /** How many failed since the start, for whatever reason. */
  count = 0;
  readonly #log: Log;
  readonly #clock: Clock;
  #untold = 0;
  #last: Envelope | undefined;

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** A message failed. */
  failed(envelope: Envelope, error: unknown): void {
    this.count++;
    if (!(error instanceof TroupeError && NO_ROOM.has(error.code))) {
      const { type, key, message } = envelope;
      this.#log("warn", "tell:failed", { actor: `${type}/${key}`, message, error: String(error) });
      return;
    }
    this.#last = envelope;
    if (this.#untold++ === 0) this.#clock.after(TELL_EVERY_MS, () => this.#tell());
  }

  #tell(): void {
    const { type, key, message } = this.#last as Envelope;
    this.#log("warn", "tell:dropped", { count: this.#untold, last: `${type}/${key}`, message });
    this.#untold = 0;
  }
}
