import { Suspense, useEffect, useRef, useState } from "react";
import { Skeleton } from "../kit/feedback.tsx";
import { count } from "../kit/format.ts";
import { useLive } from "../kit/live.ts";
import { loadLater } from "../kit/load-later.ts";
import { Status } from "../kit/state.tsx";

const Chart = loadLater(() => import("../kit/chart.tsx").then(({ Chart: chart }) => chart));

const STATES = ["placed", "reserved", "paid", "shipped", "delivered", "rejected", "cancelled"] as const;
type Step = (typeof STATES)[number];
const COLOURS: Readonly<Record<Step, string>> = {
  placed: "--ink-faint",
  reserved: "--moving",
  paid: "--accent",
  shipped: "--warning",
  delivered: "--good",
  rejected: "--bad",
  cancelled: "--ink-soft",
};
const SECONDS = 120;

interface Sample {
  readonly at: number;
  readonly counts: Readonly<Record<Step, number>>;
}

function isStep(status: unknown): status is Step {
  return STATES.includes(status as Step);
}

/** Every order that changes while this page is open: how many are in which state now, and over the last two minutes. */
export function OrderFlow() {
  const states = useRef(new Map<string, Step>());
  const [samples, setSamples] = useState<readonly Sample[]>([]);
  useLive(["orders"], (message) => {
    const { orderId, status } = (message?.data ?? {}) as { orderId?: unknown; status?: unknown };
    if (typeof orderId === "string" && isStep(status)) states.current.set(orderId, status);
  });
  useEffect(() => {
    const sample = (): void => {
      const counts = Object.fromEntries(STATES.map((state) => [state, 0])) as Record<Step, number>;
      for (const state of states.current.values()) counts[state]++;
      setSamples((before) => [...before.slice(1 - SECONDS), { at: Date.now() / 1_000, counts }]);
    };
    sample();
    const timer = setInterval(sample, 1_000);
    return () => clearInterval(timer);
  }, []);
  const now = samples.at(-1)?.counts;
  return (
    <section className="card" aria-labelledby="flow">
      <header>
        <h2 id="flow" className="grow">
          Orders by state
        </h2>
        <span className="soft small">as they change, since this page was opened</span>
      </header>
      <div className="body stack">
        <Suspense fallback={<Skeleton height={262} />}>
          <Chart
            label="Orders by state, over the last two minutes"
            times={samples.map(({ at }) => at)}
            series={STATES.map((state) => ({
              label: state,
              colour: COLOURS[state],
              values: samples.map(({ counts }) => counts[state]),
            }))}
          />
        </Suspense>
        <ul className="tiles states">
          {STATES.map((state) => (
            <li key={state}>
              <span className="number tile-value">{count(now?.[state] ?? 0)}</span>
              <Status status={state} />
            </li>
          ))}
        </ul>
      </div>
    </section>
  );
}
