import { count, duration } from "../kit/format.ts";

/** How a simulation stands, as the API answers it. */
export interface Simulation {
  readonly id: string;
  readonly status: string;
  readonly orders: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly latency: Readonly<Record<string, { readonly p50Ms: number; readonly p99Ms: number }>>;
  readonly workflowId: string;
}

const STEPS = ["reserved", "paid", "shipped", "delivered", "rejected", "cancelled"];
const WORDS: Readonly<Record<string, string>> = { underWay: "under way", needsAttention: "needs attention" };

/** The orders of one simulation: how many are placed and where they stand, and how long they took from placing to each step. */
export function SimulationProgress({
  simulation: { orders, counts, latency, workflowId },
}: {
  simulation: Simulation;
}) {
  const placed = counts["placed"] ?? 0;
  const steps = STEPS.filter((step) => latency[step] !== undefined);
  return (
    <section className="card" aria-labelledby="progress">
      <header>
        <h2 id="progress" className="grow">
          This simulation
        </h2>
        <a href={`/console/workflows/${encodeURIComponent(workflowId)}`}>Its workflow</a>
      </header>
      <div className="body stack">
        <div className="row">
          <progress className="grow" max={orders} value={placed} aria-label="Orders placed" />
          <span className="number">
            {count(placed)} of {count(orders)} placed
          </span>
        </div>
        <ul className="tiles">
          {Object.entries(counts)
            .filter(([name]) => name !== "placed")
            .map(([name, n]) => (
              <li key={name}>
                <span className="tile-value number">{count(n)}</span>
                <span className="soft small">{WORDS[name] ?? name}</span>
              </li>
            ))}
        </ul>
        {steps.length > 0 && (
          <div className="table-frame" tabIndex={0} role="region" aria-label="From placing to each step">
            <table className="table">
              <thead>
                <tr>
                  <th scope="col">From placing to</th>
                  <th scope="col" className="number">
                    Half of them
                  </th>
                  <th scope="col" className="number">
                    99 of 100
                  </th>
                </tr>
              </thead>
              <tbody>
                {steps.map((step) => (
                  <tr key={step}>
                    <td>{step}</td>
                    <td className="number">{duration(latency[step]?.p50Ms ?? 0)}</td>
                    <td className="number">{duration(latency[step]?.p99Ms ?? 0)}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </div>
    </section>
  );
}
