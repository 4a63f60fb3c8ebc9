import { useQuery } from "@tanstack/react-query";
import { ask } from "../kit/api.ts";
import { Loaded } from "../kit/loaded.tsx";
import { State } from "../kit/state.tsx";

interface Invariants {
  readonly items: readonly {
    readonly name: string;
    readonly holds: boolean;
    readonly expected: unknown;
    readonly actual: unknown;
  }[];
}

/** What must hold of all orders at all times, counted anew all the time. */
export function InvariantList() {
  const invariants = useQuery({
    queryKey: ["invariants"],
    queryFn: () => ask<Invariants>("/invariants"),
    refetchInterval: 5_000,
  });
  return (
    <section className="card" aria-labelledby="invariants">
      <header>
        <h2 id="invariants">What must always hold</h2>
      </header>
      <div className="body">
        <Loaded query={invariants} rows={4} height={28}>
          {({ items }) => (
            <ul className="way">
              {items.map(({ name, holds, expected, actual }) => (
                <li key={name}>
                  <State tone={holds ? "good" : "bad"}>{holds ? "holds" : "broken"}</State>
                  <span className="grow">{name.replaceAll(/[_-]/g, " ")}</span>
                  {!holds && (
                    <span className="number small">
                      {JSON.stringify(actual)} instead of {JSON.stringify(expected)}
                    </span>
                  )}
                </li>
              ))}
              {items.length === 0 && <li className="soft">Not counted yet</li>}
            </ul>
          )}
        </Loaded>
      </div>
    </section>
  );
}
