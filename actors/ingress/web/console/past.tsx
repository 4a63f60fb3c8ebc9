import { compact, duration } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Section } from "../kit/page.tsx";
import { Sparkline } from "../kit/sparkline.tsx";
import { When } from "../kit/time.tsx";
import { usePolled } from "./api.ts";

interface PastMetrics {
  readonly everyMs: number;
  readonly times: readonly number[];
  readonly series: readonly {
    readonly name: string;
    readonly label: string;
    readonly values: readonly (number | null)[];
  }[];
}

/** Points of a line: more than its pixels would only be slow. */
const POINTS = 120;

/** The past hours of the process that answers, each metric in a line: how it is now, and how far it went. */
export function Past() {
  const past = usePolled<PastMetrics>("/metrics/history", 15_000);
  const since = past.data?.times[0];
  return (
    <Section
      title="The past hours"
      tools={
        past.data !== undefined && (
          <span className="soft small">
            {since === undefined ? (
              `The first sample comes within ${duration(past.data.everyMs)}`
            ) : (
              <>
                since <When at={new Date(since).toISOString()} />, of the process that answers
              </>
            )}
          </span>
        )
      }
    >
      <Loaded query={past} rows={3} height={64}>
        {({ series }) => (
          <ul className="tiles past">
            {series.map(({ name, label, values }) => {
              const known = values.filter((value) => value !== null);
              const latest = known.at(-1);
              return (
                <li key={name}>
                  <span className="soft small">{label}</span>
                  <span className="tile-value number">{latest === undefined ? "–" : shown(latest)}</span>
                  <Sparkline values={thinned(known)} width={160} height={32} />
                  <span className="soft small number">
                    {known.length === 0 ? "not measured yet" : `at most ${shown(Math.max(...known))}`}
                  </span>
                </li>
              );
            })}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}

function shown(value: number): string {
  return value < 10 ? String(Math.round(value * 100) / 100) : compact(value);
}

/** The highest of each stretch: a peak is what is looked for. */
function thinned(values: readonly number[]): readonly number[] {
  const each = Math.ceil(values.length / POINTS);
  return each <= 1
    ? values
    : Array.from({ length: Math.ceil(values.length / each) }, (_, i) =>
        Math.max(...values.slice(i * each, (i + 1) * each)),
      );
}
