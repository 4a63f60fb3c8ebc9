/** Of the hosts the core runs on, all but browsers have it; there a timer does, a little later. */
const host = globalThis as { setImmediate?: (task: () => void) => unknown };

/**
 * Resolves once everything that is ready to run now has run: promise callbacks, and what they cause. Costs no timer's
 * delay where the host has `setImmediate`.
 */
export function whenIdleNow(): Promise<void> {
  return new Promise((resolve) => {
    if (host.setImmediate === undefined) setTimeout(resolve, 0);
    else host.setImmediate(resolve);
  });
}
