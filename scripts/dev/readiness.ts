/** Waits until an app process serves. */
import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 50;
const ASK_MS = 5_000;
const SLOW_MS = 2_000;
const AGAIN_MS = 10_000;
/** What a component that is not a failure may say of itself. */
const FINE = new Set(["ok", "up", "ready", "healthy", "running", "connected", "disabled", "off", "skipped", "absent"]);

/** The parts of `GET /ready` that matter here. */
interface ReadyBody {
  readonly components?: readonly { readonly name: string; readonly status: string }[];
}

/**
 * Resolves when `GET {url}/ready` answers 200, or 503 with no failing component but those in `missing`. Asks forever: the app may be
 * restarting; `signal` ends the wait. `stillWaiting` is told what fails, and for how long, after two seconds and then every ten.
 */
export async function untilReady(
  url: string,
  missing: ReadonlySet<string>,
  options: { readonly signal: AbortSignal; readonly stillWaiting: (reason: string) => void },
): Promise<void> {
  const started = performance.now();
  let next = started + SLOW_MS;
  for (;;) {
    options.signal.throwIfAborted();
    const failing = await failingComponents(url);
    if (failing.every((name) => missing.has(name))) return;
    if (performance.now() > next) {
      next += AGAIN_MS;
      options.stillWaiting(`${failing.join(", ")}, ${((performance.now() - started) / 1000).toFixed(1)} s`);
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
