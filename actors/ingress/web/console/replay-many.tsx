import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Redo2 } from "lucide-react";
import { useState } from "react";
import { command } from "../kit/api.ts";
import { Dialog } from "../kit/dialog.tsx";
import { Failure } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { useToast } from "../kit/toasts.tsx";

interface Plan {
  readonly matching: number;
  readonly reasons: Readonly<Record<string, number>>;
}

/** Replays all dead letters of a filter: says first how many they are, by a dry run. */
export function ReplayMany({ filter }: { filter: Readonly<Record<string, string>> }) {
  const [open, setOpen] = useState(false);
  const [ratePerSecond, setRate] = useState(50);
  const queries = useQueryClient();
  const say = useToast();
  const plan = useMutation({ mutationFn: () => command<Plan>("/dead-letters/replay", { filter, dryRun: true }) });
  const start = useMutation({
    mutationFn: () => command<Plan>("/dead-letters/replay", { filter, ratePerSecond }),
    onSuccess: ({ matching }) => {
      setOpen(false);
      say("moving", "running", `Replays ${plural(matching, "dead letter")}`);
      void queries.invalidateQueries();
    },
  });
  const problem = plan.error ?? start.error;
  return (
    <>
      <button
        type="button"
        className="button"
        onClick={() => {
          setOpen(true);
          plan.mutate();
        }}
      >
        <Redo2 size={14} aria-hidden="true" />
        Replay many
      </button>
      <Dialog
        title="Replay many"
        open={open}
        onClose={() => setOpen(false)}
        foot={
          <button
            type="button"
            className="button primary"
            disabled={!plan.data?.matching || start.isPending}
            onClick={() => start.mutate()}
          >
            Replay {plan.data ? plural(plan.data.matching, "dead letter") : "…"}
          </button>
        }
      >
        <div className="stack">
          <p>
            {plan.isPending
              ? "Counting what fits…"
              : `${plural(plan.data?.matching ?? 0, "dead letter")} would be sent again: `}
            {Object.entries(plan.data?.reasons ?? {})
              .map(([reason, n]) => `${n} ${reason}`)
              .join(", ")}
          </p>
          <div className="field">
            <label htmlFor="rate">Letters a second</label>
            <input
              id="rate"
              className="input"
              type="number"
              min={1}
              max={1000}
              value={ratePerSecond}
              onChange={(event) => setRate(event.target.valueAsNumber || 1)}
            />
          </div>
          {problem !== null && <Failure error={problem} />}
        </div>
      </Dialog>
    </>
  );
}
