import { createHash } from "node:crypto";
import { WorkflowExecutionAlreadyStartedError, type WorkflowExecutionDescription } from "@temporalio/client";
import { WorkflowClientError, toClientError } from "#infra/temporal/client-error.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { inTrace } from "#infra/temporal/trace-headers.ts";
import { idThere } from "#infra/temporal/workflow-id.ts";
import { isRecorded, type Tracing } from "#runtime";
import { describeRun, type WorkflowDescription } from "./describe-run.ts";
import { listRuns, type WorkflowPage, type WorkflowPageRequest } from "./list-runs.ts";
import { type RunSteps, stepsOfRun } from "./run-steps.ts";
import { type StartableWorkflow, WORKFLOW_TYPES } from "./types.ts";

/** One run of a workflow. */
export interface WorkflowRun {
  readonly workflowId: string;
  readonly runId: string;
}

/** Workflows as the HTTP routes need them. Every failure is a {@link WorkflowClientError}. */
export interface WorkflowClient {
  readonly types: readonly StartableWorkflow[];
  /**
   * Starts a run under the type's business id, or finds the one that was started with the same input. `input` was checked.
   * @param traceparent what the run is part of. Default: nothing. Likewise below.
   */
  start(
    request: { readonly type: string; readonly id?: string; readonly input: unknown },
    traceparent?: string,
  ): Promise<WorkflowRun>;
  /** Runs, newest first. */
  list(page: WorkflowPageRequest): Promise<WorkflowPage>;
  /** The newest run of an id. */
  describe(workflowId: string): Promise<WorkflowDescription>;
  /** What the newest run of an id did. */
  steps(workflowId: string): Promise<RunSteps>;
  signal(workflowId: string, name: string, input?: unknown, traceparent?: string): Promise<void>;
  /** Waits for the workflow's answer. The same `updateId` again gets the same answer. */
  update(workflowId: string, name: string, input?: unknown, once?: UpdateOptions): Promise<unknown>;
  query(workflowId: string, name: string, input?: unknown): Promise<unknown>;
  /** Asks the workflow to cancel; it ends when it has cleaned up. */
  cancel(workflowId: string): Promise<void>;
}

/** Options of one update. */
export interface UpdateOptions {
  /** The same again gets the same answer. */
  readonly updateId?: string | undefined;
  /** What it is part of, and with it the activities that come after it. */
  readonly traceparent?: string | undefined;
}

/** What {@link workflowClient} may be given besides the connection. */
export interface WorkflowClientOptions {
  readonly types?: readonly StartableWorkflow[];
  /** As the sink's: put before every task queue's name, after the prefix of the connection. */
  readonly queuePrefix?: string;
  /** Where the spans of starts, signals and updates go. Default: nowhere; their trace is handed on. */
  readonly tracing?: Tracing | undefined;
}

const INPUT_HASH = "inputHash";

/** A client of the workflows of one namespace. */
export function workflowClient(
  temporal: Temporal,
  { types = WORKFLOW_TYPES, queuePrefix = "", tracing }: WorkflowClientOptions = {},
): WorkflowClient {
  const workflows = temporal.client.workflow;
  const prefix = temporal.prefix + queuePrefix;
  const handleOf = (workflowId: string) => workflows.getHandle(idThere(temporal, workflowId));
  const argsOf = (input: unknown): unknown[] => (input === undefined ? [] : [input]);

  async function asking<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await temporal.call(call);
    } catch (error) {
      throw toClientError(error);
    }
  }

  /** As `asking`, of a call that is part of a trace. */
  async function asPart<T>(
    traceparent: string | undefined,
    what: string,
    name: string,
    workflowId: string,
    call: () => Promise<T>,
  ): Promise<T> {
    const span =
      tracing !== undefined && isRecorded(traceparent)
        ? tracing.begin({
            name: `${what} workflow`,
            kind: "client",
            parent: traceparent,
            attributes: { "rpc.system.name": "temporal", "rpc.method": name, "troupe.workflow.id": workflowId },
          })
        : undefined;
    try {
      const answer = await asking(() => inTrace(span?.traceparent ?? traceparent, call));
      span?.end();
      return answer;
    } catch (error) {
      span?.end(error);
      throw error;
    }
  }

  return {
    types,
    start: async ({ type: name, input }, traceparent) => {
      const type = types.find((candidate) => candidate.name === name);
      if (!type)
        throw new WorkflowClientError("workflow_invalid", `Cannot start ${name}: there is no such workflow type`);
      const workflowId = type.idOf(input);
      return await asPart(traceparent, "start", name, workflowId, async () => {
        const memo = { [INPUT_HASH]: hashOf(input) };
        try {
          const handle = await workflows.start(name, {
            workflowId: idThere(temporal, workflowId),
            taskQueue: prefix + type.taskQueue,
            args: argsOf(input),
            memo,
            workflowIdReusePolicy: "REJECT_DUPLICATE",
          });
          return { workflowId, runId: handle.firstExecutionRunId };
        } catch (error) {
          if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
          const known = await handleOf(workflowId).describe();
          expectSame(known, name, memo[INPUT_HASH]);
          return { workflowId, runId: known.runId };
        }
      });
    },
    list: (page) => asking(() => listRuns(temporal, page, prefix)),
    describe: (workflowId) => asking(() => describeRun(temporal, workflowId)),
    steps: (workflowId) => asking(() => stepsOfRun(temporal, workflowId)),
    signal: (workflowId, name, input, traceparent) =>
      asPart(traceparent, "signal", name, workflowId, () => handleOf(workflowId).signal(name, ...argsOf(input))),
    update: (workflowId, name, input, { updateId, traceparent } = {}) =>
      asPart(traceparent, "update", name, workflowId, () => {
        const handle = handleOf(workflowId);
        const once = updateId === undefined ? {} : { updateId };
        if (input === undefined) return handle.executeUpdate<unknown, []>(name, once);
        return handle.executeUpdate<unknown, [unknown]>(name, { args: [input], ...once });
      }),
    query: (workflowId, name, input) =>
      asking(() => handleOf(workflowId).query<unknown, unknown[]>(name, ...argsOf(input))),
    cancel: (workflowId) => asking(async () => void (await handleOf(workflowId).cancel())),
  };
}

/** @throws {WorkflowClientError} `workflow_conflict` when the known run is of another type, or was started here with another input. */
function expectSame(known: WorkflowExecutionDescription, type: string, inputHash: string | undefined): void {
  const knownHash = known.memo?.[INPUT_HASH];
  if (known.type === type && (knownHash === undefined || knownHash === inputHash)) return;
  throw new WorkflowClientError(
    "workflow_conflict",
    `Cannot start ${type} as ${known.workflowId}: the id belongs to a run with another input`,
  );
}

function hashOf(input: unknown): string {
  return createHash("sha256")
    .update(JSON.stringify(input) ?? "")
    .digest("base64url");
}
