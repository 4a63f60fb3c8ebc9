/**
 * Runs that are gone before their work was done: terminated, failed, timed out or cancelled by somebody. Whoever waits for them
 * would wait for ever.
 *
 * Owns: finding such runs, and starting them anew. Does not own: whether the work is done; a rule for each type of workflow says
 * that, as it knows the actor.
 * Calls in: `stop`. Calls out: Temporal, the rules.
 *
 * S1 A run is started anew under its id, on its queue, with its input, and only while no other run has its id. Several
 *    processes may sweep at once: the second finds the run of the first.
 * S2 It is looked every 20 s at what ended since the last look, at first at the last 12 hours. What could not be dealt with is
 *    looked at again: the time of the last look stays.
 * S3 One look takes 1,000 runs at most; the next goes on.
 */
import type { Payload } from "@temporalio/common";
import { defaultPayloadConverter } from "@temporalio/common";
import { periodically } from "#infra/base/periodically.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Log } from "#runtime";
import { statusName } from "./run-status.ts";
import { TASK_QUEUES } from "./task-queues.ts";

/** A run that ended without a result. */
export interface LostRun {
  /** Without the prefix of the cluster, as in `fulfil-order/ord_42`. */
  readonly workflowId: string;
  readonly runId: string;
  /** As in `TERMINATED`. */
  readonly status: string;
  /** What it was started with. */
  readonly input: unknown;
}

/** What becomes of a lost run. */
export type Remedy =
  /** Its work is done, or somebody else's. */
  | { readonly kind: "leave" }
  /** It starts anew, with the input it had or this one, and hears these signals: what it would have been told meanwhile. */
  | { readonly kind: "restart"; readonly input?: unknown; readonly signals?: readonly string[] }
  /** The rule has shown it to people, as a dead letter. */
  | { readonly kind: "shown" };

/** Says what becomes of the lost runs of one type. Tried again when it rejects. */
export type Rule = (run: LostRun) => Promise<Remedy>;

/** What {@link sweepLostRuns} is given. */
export interface SweepOptions {
  readonly temporal: Temporal;
  /** By workflow type. Other types are left alone. */
  readonly rules: Readonly<Record<string, Rule>>;
  /** After the prefix of the connection, as the sink's. Default: nothing. */
  readonly queuePrefix?: string;
  readonly log: Log;
  /** Between looks. @default 20_000 */
  readonly everyMs?: number;
  /** How far back the first look goes. @default 12 hours */
  readonly backMs?: number;
}

/** A running sweep. */
export interface Sweep {
  /** Looks now. Rejects when Temporal cannot be asked. */
  look(): Promise<void>;
  stop(): Promise<void>;
}

const EVERY_MS = 20_000;
const BACK_MS = 12 * 3_600_000;
/** The list is a few seconds behind: what ended shortly before a look is looked at twice. */
const OVERLAP_MS = 60_000;
const PAGE = 200;
const MAX_RUNS = 1_000;
const MAX_SEEN = 10_000;

/** Starts looking. Temporal being away is no error: the next look finds what this one could not. */
export function sweepLostRuns(options: SweepOptions): Sweep {
  const { temporal, rules, queuePrefix = "", log, everyMs = EVERY_MS, backMs = BACK_MS } = options;
  const { client, namespace, prefix, codec } = temporal;
  /** Runs that were dealt with. */
  const seen = new Set<string>();
  let since = Date.now() - backMs;
  let looking: Promise<void> | undefined;

  async function lookOnce(): Promise<void> {
    const begun = Date.now();
    let complete = true;
    for (const { workflowId, runId, type } of await endedSince(since)) {
      if (seen.has(runId)) continue;
      try {
        await dealWith(workflowId, runId, type);
        remember(runId);
      } catch (error) {
        complete = false; // LostRuns.S2
        log("warn", "sweep:failed", { workflowId, error: String(error) });
      }
    }
    if (complete) since = begun - OVERLAP_MS;
  }

  async function dealWith(workflowId: string, runId: string, type: string): Promise<void> {
    const run = await temporal.call(() => client.workflow.getHandle(prefix + workflowId).describe());
    if (run.runId !== runId || run.closeTime === undefined) return; // LostRuns.S1
    const input = await inputOf(workflowId, runId);
    const remedy = await rules[type]?.({ workflowId, runId, status: statusName(run.status.code), input });
    if (remedy === undefined || remedy.kind === "leave") return;
    if (remedy.kind === "restart") {
      const { taskQueue, memo, typedSearchAttributes } = run;
      const handle = await temporal.call(() =>
        client.workflow.start(type, {
          workflowId: prefix + workflowId,
          taskQueue,
          args: [remedy.input ?? input],
          ...(memo && { memo }),
          typedSearchAttributes,
          workflowIdReusePolicy: "ALLOW_DUPLICATE",
          workflowIdConflictPolicy: "USE_EXISTING", // LostRuns.S1
        }),
      );
      for (const signal of remedy.signals ?? []) await temporal.call(() => handle.signal(signal));
    }
    log("warn", `sweep:${remedy.kind}`, { workflowId, runId, status: statusName(run.status.code) });
  }

  /** What ended without a result, the oldest first. */
  async function endedSince(from: number): Promise<{ workflowId: string; runId: string; type: string }[]> {
    const queues = Object.values(TASK_QUEUES).map((name) => `'${prefix}${queuePrefix}${name}'`);
    const types = Object.keys(rules).map((name) => `'${name}'`);
    const query = `TaskQueue IN (${queues.join(", ")}) AND WorkflowType IN (${types.join(", ")}) AND ExecutionStatus IN ('Terminated', 'Failed', 'TimedOut', 'Canceled') AND CloseTime >= '${new Date(from).toISOString()}'`;
    const found: { workflowId: string; runId: string; type: string }[] = [];
    let nextPageToken: Uint8Array | undefined;
    do {
      const page = await temporal.call(() =>
        client.workflowService.listWorkflowExecutions({
          namespace,
          query,
          pageSize: PAGE,
          ...(nextPageToken && { nextPageToken }),
        }),
      );
      for (const { execution, type } of page.executions ?? [])
        found.push({
          workflowId: (execution?.workflowId ?? "").slice(prefix.length),
          runId: execution?.runId ?? "",
          type: type?.name ?? "",
        });
      nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
    } while (nextPageToken !== undefined && found.length < MAX_RUNS); // LostRuns.S3
    return found.toReversed();
  }

  async function inputOf(workflowId: string, runId: string): Promise<unknown> {
    const execution = { workflowId: prefix + workflowId, runId };
    const { history } = await temporal.call(() =>
      client.workflowService.getWorkflowExecutionHistory({ namespace, execution, maximumPageSize: 1 }),
    );
    const sealed = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads ?? [];
    const [first] = codec === undefined ? sealed : await codec.decode(sealed as Payload[]);
    return first === undefined ? undefined : defaultPayloadConverter.fromPayload(first);
  }

  function remember(runId: string): void {
    seen.add(runId);
    for (const oldest of seen) {
      if (seen.size <= MAX_SEEN) break;
      seen.delete(oldest);
    }
  }

  function look(): Promise<void> {
    return (looking ??= lookOnce().finally(() => (looking = undefined)));
  }

  const looks = periodically(everyMs, look, (error) => log("debug", "sweep:unavailable", { error: String(error) }));
  return {
    look,
    async stop() {
      await looks.stop();
      await looking?.catch(() => undefined);
    },
  };
}
