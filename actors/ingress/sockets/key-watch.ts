/**
 * Ends the sockets of keys that end: a socket is let in once, and may live for days.
 *
 * Owns: when it is looked. Does not own: which keys are good (`KeyDirectory`), the sockets (`Sockets`).
 * Calls in: `changed`, `stop`. Calls out: `KeyDirectory.goodNow`, `Sockets.review`.
 *
 * E1 It is looked at once when a change is told, and every 300 ms in any case: a key that was revoked anywhere,
 *    or that runs out, is known here within a second, as `KeyDirectory` has it.
 * E2 While keys cannot be checked for longer than the directory believes its copy, no socket of a key stays open.
 * E3 A change that is told during a look is followed by another look.
 */
import type { KeyDirectory } from "../../access/guard/key-directory.ts";
import type { Sockets } from "./sockets.ts";

const LOOK_EVERY_MS = 300;

/** A watch over the sockets of this process. */
export interface KeyWatch {
  /** The keys may be others now. */
  changed(): void;
  stop(): void;
}

/** Starts a watch. @param everyMs between looks. Default: 300 */
export function watchKeys(
  directory: Pick<KeyDirectory, "goodNow">,
  sockets: Pick<Sockets, "open" | "review">,
  everyMs = LOOK_EVERY_MS,
): KeyWatch {
  let looking = false;
  let again = false;
  let stopped = false;

  async function look(): Promise<void> {
    if (looking) return void (again = true); // KeyWatch.E3
    looking = true;
    do {
      again = false;
      if (stopped || sockets.open === 0) break;
      sockets.review(await directory.goodNow().catch(() => undefined)); // KeyWatch.E2
    } while (again);
    looking = false;
  }

  const timer = setInterval(() => void look(), everyMs); // KeyWatch.E1
  timer.unref();
  return {
    changed: () => void look(),
    stop() {
      stopped = true;
      clearInterval(timer);
    },
  };
}
