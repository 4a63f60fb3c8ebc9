import type { Tone } from "../kit/state.tsx";
import {
  type Actors,
  type DeadLetter,
  type ListPage,
  type Ready,
  type Service,
  useMetrics,
  usePolled,
  type WorkflowSummary,
} from "./api.ts";
import { byLabel } from "./metrics.ts";

/** Something that somebody should look at, and what to do about it. */
export interface Attention {
  readonly tone: Tone;
  readonly word: string;
  readonly what: string;
  readonly todo: string;
  /** The page that shows it, below `/console`. */
  readonly to: string;
}

const LAG = 100;
const PENDING = 1_000;

/** All that needs attention now, the worst first; `undefined` until enough is known. */
export function useAttention(): readonly Attention[] | undefined {
  const ready = usePolled<Ready>("/ready");
  const letters = usePolled<ListPage<DeadLetter>>("/dead-letters?limit=200");
  const failed = usePolled<ListPage<WorkflowSummary>>("/workflows?status=FAILED&limit=50", 10_000);
  const services = usePolled<ListPage<Service>>("/services?limit=200");
  const actors = usePolled<Actors>("/actors");
  const metrics = useMetrics();
  if (ready.data === undefined || (actors.data === undefined && !actors.isError)) return undefined;
  const found: Attention[] = [];
  for (const { name, status, how } of ready.data.components)
    if (status === "down")
      found.push({ tone: "bad", word: "down", what: `${name} cannot be reached`, todo: how, to: "/cluster" });
  for (const { name, status, conditions } of services.data?.items ?? []) {
    const trouble = conditions.find(({ severity }) => severity !== "note");
    if (status !== "degraded" && trouble === undefined) continue;
    found.push({
      tone: "bad",
      word: status,
      what: `Service ${name}: ${trouble?.message ?? "runs other than it should"}`,
      todo: "Read its conditions and logs, then apply a mended file or roll back",
      to: `/services/${encodeURIComponent(name)}`,
    });
  }
  for (const { actor, source, lag, failing } of actors.data?.subscriptions ?? [])
    if (failing !== null || (lag ?? 0) > LAG)
      found.push({
        tone: failing === null ? "warning" : "bad",
        word: failing === null ? "behind" : "failing",
        what:
          failing === null
            ? `${actor} is ${lag} messages behind ${source}`
            : `${actor} cannot take messages of ${source}: ${failing}`,
        todo: failing === null ? "Add a node, or look why its turns are slow" : "Mend what it says; the messages wait",
        to: "/events",
      });
  for (const [sink, pending] of byLabel(metrics.data, "troupe_outbox_pending", "sink"))
    if (pending > PENDING)
      found.push({
        tone: "warning",
        word: "pending",
        what: `${pending} events wait to be published to ${sink}`,
        todo: "Look whether that broker is there and takes writes",
        to: "/metrics",
      });
  const letterCount = letters.data?.items.length ?? 0;
  if (letterCount > 0)
    found.push({
      tone: "warning",
      word: "waiting",
      what: `${letterCount}${letters.data?.next == null ? "" : "+"} dead letter${letterCount === 1 ? "" : "s"}`,
      todo: "Mend the cause, then replay them, or delete what nobody needs",
      to: "/dead-letters",
    });
  const failures = failed.data?.items.length ?? 0;
  if (failures > 0)
    found.push({
      tone: "warning",
      word: "failed",
      what: `${failures}${failed.data?.next == null ? "" : "+"} workflow run${failures === 1 ? "" : "s"} failed`,
      todo: "Open a run to read its failure",
      to: "/workflows?status=FAILED",
    });
  return found;
}
