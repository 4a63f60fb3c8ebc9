import { KEYS_TOPIC } from "#actors/access/keyring/messages.ts";
import { pause } from "#infra/base/pause.ts";
import type { Topics } from "#runtime";

const AGAIN_MS = 1_000;

/** Calls `changed` whenever the keys may have changed: when told so, and when it may not have been told. Ends with `signal`. */
export async function followKeys(
  topics: Pick<Topics, "subscribe">,
  changed: () => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const subscription = await topics.subscribe([KEYS_TOPIC], { signal });
      changed();
      for await (const _ of subscription) changed();
    } catch {
      // Topics that cannot be reached: the directory's own bound on age holds meanwhile.
    }
    if (!signal.aborted) await pause(AGAIN_MS, signal);
  }
}
