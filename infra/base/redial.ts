import type { Log } from "#runtime";
import { pause } from "./pause.ts";

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export interface RedialOptions {
  /** For the log, as in `rabbitmq:invoice`. */
  readonly what: string;
  readonly log: Log;
  /** One connection from its beginning to its end. Calls `up` once it works; ends soon after `over` was aborted. */
  session(over: AbortSignal, up: () => void): Promise<void>;
}

/** Runs a session again whenever it has ended, for ever, with pauses that grow while none works. Logs what is news. */
export class Redial {
  readonly #options: RedialOptions;
  readonly #over = new AbortController();
  readonly #running: Promise<void>;

  constructor(options: RedialOptions) {
    this.#options = options;
    this.#running = this.#run();
  }

  /** Ends the session under way, and resolves when it is over. */
  async stop(): Promise<void> {
    this.#over.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { what, log, session } = this.#options;
    let pauseMs = FIRST_PAUSE_MS;
    let told = "";
    const up = (): void => {
      if (told !== "") log("info", "source:recovered", { source: what });
      told = "";
      pauseMs = FIRST_PAUSE_MS;
    };
    while (!this.#over.signal.aborted) {
      try {
        await session(this.#over.signal, up);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        if (!this.#over.signal.aborted && reason !== told) log("warn", "source:interrupted", { source: what, reason });
        told = reason;
      }
      await pause(pauseMs, this.#over.signal);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}
