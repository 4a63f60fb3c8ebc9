import { markdown } from "../outages/table.ts";
import type { ServiceVerdict } from "./run.ts";

const SHOWN = 20;

/** A run for people: a table, why requests failed, and what broke a promise. */
export function serviceReport({ rows, requests, reasons, told, violations }: ServiceVerdict): string {
  const heads = ["fault", "times", "in an update", "ran / may", "settled s", "requests", "failed", "cut", "slowest ms"];
  const table = markdown(
    heads,
    rows.map((row) => [
      row.fault,
      String(row.times),
      String(row.updating),
      `${row.ran} / ${row.most}`,
      row.settledSeconds?.toFixed(1) ?? "never",
      String(row.requests.ok + row.requests.asked + row.requests.cut + row.requests.failed),
      String(row.requests.failed),
      String(row.requests.cut),
      String(Math.round(row.slowestMs)),
    ]),
  );
  const { ok, asked, cut, failed } = requests;
  const why = Object.entries(reasons).map(([reason, count]) => `${count} × ${reason}`);
  return [
    table,
    "",
    `${ok} requests were answered, ${asked} with the 500 that their revision was made to answer, ${cut} were cut with the app process that had them, ${failed} failed${why.length > 0 ? `: ${why.join(", ")}` : ""}; ${told} starts and ends of containers were told`,
    ...violations.slice(0, SHOWN).map(({ kind, text }) => `✗ ${kind}: ${text}`),
    ...(violations.length > SHOWN ? [`… and ${violations.length - SHOWN} more`] : []),
  ].join("\n");
}
