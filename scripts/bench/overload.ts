import { isolatedWith } from "./isolated.ts";
import type { Overload } from "./overload-loads.ts";
import type { BenchCase } from "./report.ts";

const CALLERS = 256;
const SECONDS = 60;

/**
 * Ten times as many callers as the machine serves well, for a minute: what those wait who are let in, what memory does, and when
 * all is as before. The baseline is the normal load before.
 */
export async function* overload(): AsyncGenerator<BenchCase> {
  const found = await isolatedWith<Overload>([], "overload-loads.ts", "tenfold", CALLERS, SECONDS);
  const { normal, admitted, turnedAwayPerSecond, grewMb, after, normalAgainMs } = found;
  const baseline = { name: `${CALLERS} callers before`, ...normal };
  const times = (admitted.p99Ms / normal.p99Ms).toFixed(1);
  const away = Math.round(turnedAwayPerSecond).toLocaleString("en-US");
  yield {
    bench: "overload",
    case: `${CALLERS * 10} callers for ${SECONDS} s: p99 of those let in ×${times}, ${away}/s turned away, memory ${grewMb < 0 ? "" : "+"}${grewMb.toFixed(0)} MB`,
    measured: admitted,
    baseline,
  };
  yield {
    bench: "overload",
    case: `${CALLERS} callers again: normal after ${(normalAgainMs / 1_000).toFixed(1)} s`,
    measured: after,
    baseline,
  };
}
