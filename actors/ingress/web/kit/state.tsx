import { Check, Circle, CircleAlert, LoaderCircle, X } from "lucide-react";
import type { ReactNode } from "react";

/** How a thing is: each with a shape, a colour and its word. */
export type Tone = "neutral" | "good" | "moving" | "warning" | "bad";

const SHAPES = { neutral: Circle, good: Check, moving: LoaderCircle, warning: CircleAlert, bad: X } as const;

/** A state in a word, with its shape. */
export function State({ tone, children }: { tone: Tone; children: ReactNode }) {
  const Shape = SHAPES[tone];
  return (
    <span className="state" data-tone={tone}>
      <Shape size={12} strokeWidth={2.5} aria-hidden="true" />
      {children}
    </span>
  );
}

/** The tone of each status that the API answers. An unknown one is neutral. */
const TONES: Readonly<Record<string, Tone>> = {
  placed: "moving",
  reserved: "moving",
  paid: "moving",
  shipped: "moving",
  delivered: "good",
  rejected: "bad",
  cancelled: "neutral",
  returned: "neutral",
  needs_attention: "bad",
  cancelling: "moving",
  authorized: "moving",
  captured: "good",
  refunded: "neutral",
  declined: "bad",
  voided: "neutral",
  scheduled: "moving",
  dispatched: "moving",
  in_transit: "moving",
  lost: "bad",
  recalled: "neutral",
  returning: "moving",
  converged: "good",
  progressing: "moving",
  degraded: "bad",
  ready: "good",
  ok: "good",
  up: "good",
  absent: "neutral",
  unavailable: "bad",
  running: "moving",
  completed: "good",
  failed: "bad",
  terminated: "bad",
  timed_out: "bad",
  canceled: "neutral",
  stopped: "neutral",
  down: "bad",
  refused: "warning",
  uncommitted: "warning",
  paused: "warning",
  unreachable: "bad",
};

/** The tone of a status. */
export function toneOf(status: string): Tone {
  const key = status.toLowerCase();
  return (Object.hasOwn(TONES, key) ? TONES[key] : undefined) ?? "neutral";
}

/** The state of an order, a service, a workflow or a component. */
export function Status({ status }: { status: string }) {
  return <State tone={toneOf(status)}>{status.replaceAll("_", " ").toLowerCase()}</State>;
}
