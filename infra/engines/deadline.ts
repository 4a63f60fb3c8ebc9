import { within } from "#infra/base/deadline.ts";
import { EngineError, toEngineError } from "./errors.ts";

/**
 * Runs one call to the engine, at most for `ms`. The signal given to `call` is aborted when the time is over; a call
 * that ignores it is left behind, so that a hanging engine never hangs the caller.
 * @throws {EngineError} `timeout` when the time is over, otherwise what the failure means.
 */
export async function withDeadline<T>(
  action: string,
  ms: number,
  call: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  try {
    return await within(ms, call(controller.signal), () => {
      controller.abort();
      return new EngineError("timeout", `Cannot ${action} as the engine did not answer within ${ms} ms`);
    });
  } catch (thrown) {
    throw toEngineError(action, thrown);
  }
}
