/** One thing that a run of a workflow did, as `GET /workflows/:id/steps` has it. */
export interface Step {
  readonly at: string;
  readonly kind: "started" | "activity" | "wait" | "signal" | "update" | "ended";
  readonly name: string;
  readonly status: "done" | "failed" | "under_way" | "cut_short";
  readonly attempt: number;
  readonly tookMs: number | null;
  readonly failure: string | null;
  readonly value: unknown;
}

/** What a step decided or found, for those whose result says it: the line that somebody reads at night. */
type Saying = (value: Readonly<Record<string, unknown>>) => string | undefined;

const SAYINGS: Readonly<Record<string, Saying>> = {
  // reconcile-service
  survey: ({ desired, hosts, waitsFor }) => {
    const { replicas, revision, removed } = (desired ?? {}) as Readonly<Record<string, unknown>>;
    const seen = list(hosts).map(({ host, containers, reason }) =>
      containers === null
        ? `host ${text(host)} does not answer: ${text(reason)}`
        : `${there(containers)} on host ${text(host)}`,
    );
    const wanted = removed === true ? "none, as it was removed" : `${text(replicas)} of revision ${text(revision)}`;
    const needs = Array.isArray(waitsFor) && waitsFor.length > 0 ? `; waits for ${waitsFor.join(", ")}` : "";
    return `Wanted: ${wanted}. There: ${seen.join("; ") || "nothing"}${needs}`;
  },
  noteLook: () => "The scaler remembers the look, and gives the token to act with",
  actOnHost: ({ failed, kept, unavailable, fenced, asked }) => {
    if (typeof unavailable === "string") return `Did not act: ${unavailable}`;
    if (fenced === true) return "Left the rest to a later look, which has begun";
    const wrong = [
      ...list(failed).map(({ error, replica }) => `replica ${text(replica)} failed: ${text(message(error))}`),
      ...list(kept).map(({ containerId, why }) => `${text(containerId).slice(0, 12)} cannot be ended: ${text(why)}`),
    ];
    const did = Array.isArray(asked) ? asked.map(text).join(", ") : "Did what the plan asks for";
    return [did, ...wrong].join("; ");
  },
  reportService: () => "Told the service how it stands",
  rollBack: () => "Went back to the revision before, as this one does not come up",
  // deliver-webhook
  askEndpoint: ({ kind, ms, because }) => {
    if (kind === "go") return "It may go now";
    if (kind === "wait") return `It has to wait ${text(ms)} ms: the rate, or a circuit that is open`;
    return kind === "stop" ? `It is not to go: the endpoint is ${text(because)}` : undefined;
  },
  tryDelivery: ({ kind, detail, final, retryAfterMs }) => {
    if (kind === "delivered") return "The receiver took it";
    const pause = typeof retryAfterMs === "number" && retryAfterMs > 0 ? `, and asks for ${retryAfterMs} ms` : "";
    return `${text(detail)}${pause}${final === true ? ": another try would not help" : ""}`;
  },
  giveUp: () => "Kept as a dead letter",
};

/** A step in words; `undefined` where its name says all. */
export function sayingOf({ kind, name, status, failure, value }: Step): string | undefined {
  if (failure !== null) return failure;
  if (kind === "wait") return status === "cut_short" ? "Something happened before it was over" : undefined;
  if (kind !== "activity" || status !== "done") return undefined;
  return SAYINGS[name]?.(typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {});
}

function there(containers: unknown): string {
  const states = new Map<string, number>();
  for (const { state } of list(containers)) states.set(text(state), (states.get(text(state)) ?? 0) + 1);
  return [...states].map(([state, n]) => `${n} ${state}`).join(", ") || "nothing";
}

function message(error: unknown): unknown {
  return typeof error === "object" && error !== null && "message" in error ? error.message : undefined;
}

function list(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? (value as Record<string, unknown>[]) : [];
}

function text(value: unknown): string {
  return typeof value === "string" || typeof value === "number" ? String(value) : "?";
}
