import { BROKERS } from "#infra/base/brokers.ts";
import type { OutageVerdict } from "./run.ts";
import { markdown } from "./table.ts";

const SHOWN = 20;

/** A run for people: two tables, what else was counted, and what broke a promise. */
export function report(verdict: OutageVerdict): string {
  const { rows, delays, longestWaitMs, messages, deadLetters, refusals, violations } = verdict;
  const faults = markdown(
    ["fault", "lasted s", "acked", "due on brokers", "lost", "repeats", "order breaks", "longest gap s", "drain s"],
    rows.map((row) => [
      row.fault,
      row.seconds.toFixed(1),
      String(row.acked),
      String(row.due),
      String(row.lost),
      String(row.repeats),
      String(row.orderBreaks),
      row.longestGap.toFixed(1),
      row.drainSeconds?.toFixed(1) ?? "never",
    ]),
  );
  const names = [...new Set(delays.map(({ fault }) => fault))];
  const times = markdown(
    ["request → broker, p50 / p99 ms", ...BROKERS],
    names.map((name) => [
      name,
      ...BROKERS.map((broker) => {
        const row = delays.find((one) => one.fault === name && one.broker === broker);
        return row === undefined ? "away" : `${row.p50Ms} / ${row.p99Ms}`;
      }),
    ]),
  );
  const answers = Object.entries(refusals).map(([status, count]) => `${count} × ${status}`);
  return [
    faults,
    "",
    times,
    "",
    `read back: ${BROKERS.map((broker) => `${broker} ${messages[broker]}`).join(", ")}; dead letters: ${deadLetters}; answers other than 2xx: ${answers.join(", ") || "none"}; the longest wait for an answer, tries included: ${(longestWaitMs / 1_000).toFixed(1)} s`,
    ...violations.slice(0, SHOWN).map(({ kind, text }) => `✗ ${kind}: ${text}`),
    ...(violations.length > SHOWN ? [`… and ${violations.length - SHOWN} more`] : []),
  ].join("\n");
}
