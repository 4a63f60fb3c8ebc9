import { pause } from "../base/pause.ts";
import type { ContainerRecord, EngineCheck } from "../engines/container.ts";

/**
 * Runs a check again and again until it is stopped: `starting` until it succeeds for the first time, `unhealthy` after
 * `retries` failures in a row beyond the start period. `changed` is told of each change.
 */
export class RunningCheck {
  readonly #stopping = new AbortController();
  #state: NonNullable<ContainerRecord["check"]> = "starting";

  /** `run` resolves with whether all is well, at the latest when the signal it is given is aborted. */
  constructor(check: EngineCheck, run: (signal: AbortSignal) => Promise<boolean>, changed: () => void) {
    void this.#loop(check, run, changed);
  }

  get state(): NonNullable<ContainerRecord["check"]> {
    return this.#state;
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #loop(check: EngineCheck, run: (signal: AbortSignal) => Promise<boolean>, changed: () => void): Promise<void> {
    const { signal } = this.#stopping;
    const bornAt = performance.now();
    let failures = 0;
    while (!signal.aborted) {
      const good = await run(AbortSignal.any([signal, AbortSignal.timeout(check.timeoutMs)])).catch(() => false);
      if (signal.aborted) return;
      const before = this.#state;
      if (good) {
        failures = 0;
        this.#state = "healthy";
      } else if (before === "healthy" || performance.now() - bornAt > check.startPeriodMs) {
        failures++;
        if (failures >= check.retries) this.#state = "unhealthy";
      }
      if (this.#state !== before) changed();
      await pause(check.intervalMs, signal);
    }
  }
}
