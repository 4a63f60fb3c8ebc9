/** Waits until an app process serves. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 50;
const ASK_MS = 5_000;
/** What a component that is not a failure may say of itself. */
const FINE = new Set(["ok", "up", "ready", "healthy", "running", "connected", "disabled", "off", "skipped", "absent"]);

/** The parts of `GET /ready` that matter here. */
interface ReadyBody {
  readonly components?: readonly { readonly name: string; readonly status: string }[];
}

/**
 * Resolves when `GET {url}/ready` answers 200, or 503 with no failing component but those in `missing`. Asks forever: the app may be
 * restarting; `signal` ends the wait. `stillWaiting` is told what fails every ten seconds.
 */
export async function untilReady(
  url: string,
  missing: ReadonlySet<string>,
  options: { readonly signal: AbortSignal; readonly stillWaiting: (reason: string) => void },
): Promise<void> {
  let next = performance.now() + 10_000;
  for (;;) {
    options.signal.throwIfAborted();
    const failing = await failingComponents(url);
    if (failing.every((name) => missing.has(name))) return;
    if (performance.now() > next) {
      next += 10_000;
      options.stillWaiting(failing.join(", "));
    }
    await delay(POLL_MS, undefined, { signal: options.signal });
  }
}

/** The names of what is not ready; `the app` when it does not answer or says nothing useful. */
async function failingComponents(url: string): Promise<string[]> {
  try {
    const response = await fetch(`${url}/ready`, { signal: AbortSignal.timeout(ASK_MS) });
    if (response.status === 200) return [];
    const body = (await response.json()) as ReadyBody;
    const failing = (body.components ?? [])
      .filter((component) => !FINE.has(component.status))
      .map((component) => component.name);
    return response.status === 503 && failing.length > 0 ? failing : ["the app"];
  } catch {
    return ["the app"];
  }
}
