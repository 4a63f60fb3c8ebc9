import { duration } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Section } from "../kit/page.tsx";
import { State, toneOf } from "../kit/state.tsx";
import { usePolled } from "./api.ts";

interface Order {
  readonly reason?: string;
  readonly history: readonly { readonly status: string; readonly at: string }[];
}

/** What a fulfilment has done so far, as a time line: each step with the time since the one before. */
export function OrderSteps({ orderId }: { orderId: string }) {
  const order = usePolled<Order>(`/orders/${orderId}`, 2_000);
  return (
    <Section title="Its steps">
      <Loaded query={order} rows={1} height={40}>
        {({ history, reason }) => {
          const times = history.map(({ at }) => Date.parse(at));
          const whole = Math.max(1, (times.at(-1) ?? 0) - (times[0] ?? 0));
          return (
            <ol className="steps">
              {history.map(({ status, at }, i) => {
                const took = (times[i] ?? 0) - (times[i - 1] ?? times[i] ?? 0);
                return (
                  <li key={status + at}>
                    <State tone={i === history.length - 1 ? toneOf(status) : "good"}>
                      {status.replaceAll("_", " ")}
                    </State>
                    <span className="steps-bar">
                      <span
                        style={{
                          left: `${(((times[i] ?? 0) - took - (times[0] ?? 0)) / whole) * 100}%`,
                          width: `max(3px, ${(took / whole) * 100}%)`,
                        }}
                      />
                    </span>
                    <span className="number small">{i === 0 ? "start" : `+${duration(took)}`}</span>
                  </li>
                );
              })}
              {reason !== undefined && <li className="soft steps-why">Why: {reason.replaceAll("_", " ")}</li>}
            </ol>
          );
        }}
      </Loaded>
    </Section>
  );
}
