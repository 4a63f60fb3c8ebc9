import { pause } from "#infra/base/pause.ts";
import { type Troupe, TroupeError } from "#runtime";
import { Counter, Teller } from "./actors.ts";
import type { History } from "./checker.ts";
import type { Random } from "./random.ts";

const COUNTERS = 24;
const ACCOUNTS = 24;
const TELLERS = 8;
/** How often an old id is sent again, to hear whether the answer is still the same. */
const REPEATS = 0.05;
const ASK_TIMEOUT = "4s";

/** The longest that any call took from its first try to its answer, and how many tries failed on the way. */
export interface Patience {
  longestMs: number;
  failedTries: number;
}

/**
 * Runs clients until `signal` ends it; each ends with an answer to its last request. Every request carries an id and is
 * sent again until it is answered: so the clients know exactly what has to be there.
 *
 * @throws what was answered to a request that no repeat would help.
 */
export async function runClients(
  troupe: Pick<Troupe, "ref">,
  randoms: readonly Random[],
  patience: Patience,
  signal: AbortSignal,
): Promise<History> {
  const raises: { counter: string; id: string; to: number }[] = [];
  const moves: { from: string; to: string; amount: number }[] = [];

  const raise = async (counter: string, id: string): Promise<void> => {
    const to = await insist(
      () => troupe.ref(Counter, counter).raise(undefined, { id, timeout: ASK_TIMEOUT }),
      patience,
    );
    raises.push({ counter, id, to });
  };
  const client = async (random: Random, name: number): Promise<void> => {
    for (let n = 0; !signal.aborted; n++) {
      const old = random.next() < REPEATS && raises.length > 0 ? random.pick(raises) : undefined;
      const id = `${name}-${n}`;
      if (old !== undefined) {
        await raise(old.counter, old.id);
      } else if (random.next() < 0.6) {
        await raise(`counter-${random.whole(1, COUNTERS)}`, id);
      } else {
        const from = `account-${random.whole(1, ACCOUNTS)}`;
        const to = `account-${random.whole(1, ACCOUNTS)}`;
        const move = { from, to, amount: random.whole(1, 100) };
        const teller = troupe.ref(Teller, `teller-${random.whole(1, TELLERS)}`);
        await insist(() => teller.move(move, { id, timeout: ASK_TIMEOUT }), patience);
        moves.push(move);
      }
      await pause(random.whole(0, 4), signal);
    }
  };
  await Promise.all(randoms.map(client));
  return { raises, moves };
}

async function insist<T>(ask: () => Promise<T>, patience: Patience): Promise<T> {
  const startedAt = performance.now();
  for (;;) {
    try {
      const answer = await ask();
      patience.longestMs = Math.max(patience.longestMs, performance.now() - startedAt);
      return answer;
    } catch (error) {
      if (!(error instanceof TroupeError && error.retryable)) throw error;
      patience.failedTries++;
      await Bun.sleep(20);
    }
  }
}
