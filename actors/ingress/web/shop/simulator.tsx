import { useMutation, useQuery } from "@tanstack/react-query";
import { Play, Square } from "lucide-react";
import { useState } from "react";
import { useSearchParams } from "wouter";
import { ask, command } from "../kit/api.ts";
import { Failure } from "../kit/feedback.tsx";
import { Status } from "../kit/state.tsx";
import { InvariantList } from "./invariants.tsx";
import { OrderFlow } from "./order-flow.tsx";
import { type Simulation, SimulationProgress } from "./simulation.tsx";

const SLIDERS = [
  { name: "orders", label: "Orders", max: 2_000, min: 10, step: 10, first: 200, unit: "" },
  { name: "ratePerSecond", label: "Orders a second", max: 100, min: 1, step: 1, first: 20, unit: "" },
  { name: "declineShare", label: "Declined cards", max: 50, min: 0, step: 1, first: 10, unit: " %" },
  { name: "cancelShare", label: "Cancelled", max: 50, min: 0, step: 1, first: 5, unit: " %" },
  { name: "partialShare", label: "More than there is", max: 50, min: 0, step: 1, first: 2, unit: " %" },
  { name: "lostShare", label: "Lost parcels", max: 50, min: 0, step: 1, first: 5, unit: " %" },
] as const;
type Name = (typeof SLIDERS)[number]["name"];

/** Drives many orders through the shop, and shows what becomes of all orders, whoever placed them. */
export function Simulator() {
  const [values, setValues] = useState(
    () => Object.fromEntries(SLIDERS.map(({ name, first }) => [name, first])) as Record<Name, number>,
  );
  const [search, setSearch] = useSearchParams();
  const id = search.get("run");
  const start = useMutation({
    mutationFn: () =>
      command<Simulation>("/simulations", {
        orders: values.orders,
        ratePerSecond: values.ratePerSecond,
        declineShare: values.declineShare / 100,
        cancelShare: values.cancelShare / 100,
        partialShare: values.partialShare / 100,
        lostShare: values.lostShare / 100,
      }),
    onSuccess: (made) => setSearch({ run: made.id }),
  });
  const run = useQuery({
    queryKey: ["simulation", id],
    enabled: id !== null,
    queryFn: () => ask<Simulation>(`/simulations/${encodeURIComponent(id ?? "")}`),
    refetchInterval: ({ state: { data } }) => (data?.status === "running" ? 1_000 : false),
  });
  const stop = useMutation({
    mutationFn: () => command<Simulation>(`/simulations/${encodeURIComponent(id ?? "")}/stop`, undefined),
    onSettled: () => void run.refetch(),
  });
  return (
    <div className="stack">
      <header className="row">
        <h1 className="grow">Simulator</h1>
        {run.data && <Status status={run.data.status} />}
      </header>
      <div className="simulator">
        <form
          className="card"
          aria-label="What to simulate"
          onSubmit={(event) => {
            event.preventDefault();
            start.mutate();
          }}
        >
          <div className="body stack">
            {SLIDERS.map(({ name, label, first: _, unit, ...range }) => (
              <div key={name} className="field">
                <div className="row">
                  <label htmlFor={`sim-${name}`} className="grow">
                    {label}
                  </label>
                  <output htmlFor={`sim-${name}`} className="number">
                    {values[name]}
                    {unit}
                  </output>
                </div>
                <input
                  id={`sim-${name}`}
                  type="range"
                  {...range}
                  value={values[name]}
                  onChange={(event) => setValues({ ...values, [name]: event.target.valueAsNumber })}
                />
              </div>
            ))}
            <div className="row">
              <button
                type="submit"
                className="button primary grow"
                disabled={start.isPending || run.data?.status === "running"}
              >
                <Play size={14} aria-hidden="true" />
                Start
              </button>
              <button
                type="button"
                className="button"
                disabled={run.data?.status !== "running"}
                onClick={() => stop.mutate()}
              >
                <Square size={14} aria-hidden="true" />
                Stop
              </button>
            </div>
            {start.isError && <Failure error={start.error} />}
          </div>
        </form>
        <div className="stack">
          {run.data && <SimulationProgress simulation={run.data} />}
          {run.isError && <Failure error={run.error} retry={() => void run.refetch()} />}
          <OrderFlow />
          <InvariantList />
        </div>
      </div>
    </div>
  );
}
