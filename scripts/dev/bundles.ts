/** The workflow bundles, made while the servers start: the app then finds them in the cache. */
import { bundlesOf } from "#workflows/bundle.ts";
import { WORKFLOW_ENTRIES } from "#workflows/entries.ts";

const SLOW_MS = 2_000;
const AGAIN_MS = 10_000;

/** Bundles that are on their way. */
export interface PreparedBundles {
  /**
   * Resolves when they are in the cache, or when they could not be made, which is said: the app then tries by itself. `say` is told of a
   * wait after two seconds and then every ten.
   */
  ready(say: (line: string) => void): Promise<void>;
}

/** Starts to make what is missing. Takes no time where the code has not changed. */
export function prepareBundles(): PreparedBundles {
  const started = performance.now();
  const age = (): string => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  const outcome = bundlesOf(Object.values(WORKFLOW_ENTRIES)).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  return {
    async ready(say) {
      const tell = (): void => say(`… waiting for the workflow bundles, ${age()}`);
      const first = setTimeout(tell, SLOW_MS);
      const again = setInterval(tell, AGAIN_MS);
      const failure = await outcome;
      clearTimeout(first);
      clearInterval(again);
      if (failure !== undefined) say(`The workflow bundles could not be made: ${failure}`);
    },
  };
}
