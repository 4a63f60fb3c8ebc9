import { progress } from "./progress.ts";
import { KEYS, redriven, rowByRow } from "./redrive-loads.ts";
import type { BenchCase } from "./report.ts";

const LETTERS = 20_000;
/** A row by row replay takes the same time for each. */
const LETTERS_BY_HAND = 4_000;

/** Dead letters of a broker, all replayed in the order of their keys, against row by row over a plain table. */
export async function* redrive(): AsyncGenerator<BenchCase> {
  progress(`redrive: row by row, ${LETTERS_BY_HAND} letters (5 to 20 s)`);
  const byHand = await rowByRow(LETTERS_BY_HAND);
  progress(`redrive: ${LETTERS} letters are made, then replayed (10 to 40 s)`);
  const measured = await redriven(LETTERS);
  yield {
    bench: "redrive",
    case: `${LETTERS / 1_000}k letters of ${KEYS} keys (times are from the start)`,
    measured,
    baseline: { name: `UPDATE … RETURNING row by row, ${LETTERS_BY_HAND / 1_000}k letters`, ...byHand },
  };
}
