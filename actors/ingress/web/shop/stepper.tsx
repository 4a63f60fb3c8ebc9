import { Check, CircleAlert, X } from "lucide-react";
import { duration } from "../kit/format.ts";
import { When } from "../kit/time.tsx";
import type { Order } from "./types.ts";

const STEPS = [
  ["placed", "Placed"],
  ["reserved", "Reserved"],
  ["paid", "Paid"],
  ["shipped", "Shipped"],
  ["delivered", "Delivered"],
] as const;

const ENDS: Readonly<Record<string, string>> = {
  rejected: "Turned down",
  cancelled: "Cancelled",
  returned: "Returned",
  needs_attention: "Needs attention",
};

/** How far an order is, with the time of each step and how long it took. An order that ends another way says so at its end. */
export function Stepper({ order: { status, history } }: { order: Pick<Order, "status" | "history"> }) {
  const ended = ENDS[status];
  const timeOf = (name: string): string | undefined => history.findLast((moment) => moment.status === name)?.at;
  const steps = STEPS.filter(([name]) => ended === undefined || timeOf(name) !== undefined);
  const start = Date.parse(timeOf("placed") ?? "");
  const now = STEPS.findIndex(([name]) => name === status);
  return (
    <ol className="stepper" aria-label="Progress of the order">
      {steps.map(([name, label], i) => {
        const at = timeOf(name);
        return (
          <li
            key={name}
            data-done={at !== undefined}
            data-next={ended === undefined && i === now + 1}
            aria-current={status === name ? "step" : undefined}
          >
            <span className="step-mark">
              {at === undefined ? <span /> : <Check size={14} strokeWidth={3} aria-hidden="true" />}
            </span>
            <strong>{label}</strong>
            <span className="soft small number">
              {at === undefined ? (
                "–"
              ) : i === 0 ? (
                <When at={at} />
              ) : (
                `after ${duration(Math.max(0, Date.parse(at) - start))}`
              )}
            </span>
          </li>
        );
      })}
      {ended !== undefined && (
        <li data-done="true" data-end={status} aria-current="step">
          <span className="step-mark">
            {status === "needs_attention" ? (
              <CircleAlert size={14} strokeWidth={3} aria-hidden="true" />
            ) : (
              <X size={14} strokeWidth={3} aria-hidden="true" />
            )}
          </span>
          <strong>{ended}</strong>
          <span className="soft small number">{timeOf(status) && <When at={timeOf(status) ?? 0} />}</span>
        </li>
      )}
    </ol>
  );
}
