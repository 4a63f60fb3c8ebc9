import { createHash } from "node:crypto";
import { WorkflowExecutionAlreadyStartedError, type WorkflowExecutionDescription } from "@temporalio/client";
import { WorkflowClientError, toClientError } from "#infra/temporal/client-error.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { idThere } from "#infra/temporal/workflow-id.ts";
import { describeRun, type WorkflowDescription } from "./describe-run.ts";
import { listRuns, type WorkflowPage, type WorkflowPageRequest } from "./list-runs.ts";
import { type StartableWorkflow, WORKFLOW_TYPES } from "./types.ts";

/** One run of a workflow. */
export interface WorkflowRun {
  readonly workflowId: string;
  readonly runId: string;
}

/** Workflows as the HTTP routes need them. Every failure is a {@link WorkflowClientError}. */
export interface WorkflowClient {
  readonly types: readonly StartableWorkflow[];
  /** Starts a run under the type's business id, or finds the one that was started with the same input. `input` was checked. */
  start(request: { readonly type: string; readonly id?: string; readonly input: unknown }): Promise<WorkflowRun>;
  /** Runs, newest first. */
  list(page: WorkflowPageRequest): Promise<WorkflowPage>;
  /** The newest run of an id. */
  describe(workflowId: string): Promise<WorkflowDescription>;
  signal(workflowId: string, name: string, input?: unknown): Promise<void>;
  /** Waits for the workflow's answer. The same `updateId` again gets the same answer. */
  update(workflowId: string, name: string, input?: unknown, updateId?: string): Promise<unknown>;
  query(workflowId: string, name: string, input?: unknown): Promise<unknown>;
  /** Asks the workflow to cancel; it ends when it has cleaned up. */
  cancel(workflowId: string): Promise<void>;
}

/** What {@link workflowClient} may be given besides the connection. */
export interface WorkflowClientOptions {
  readonly types?: readonly StartableWorkflow[];
  /** As the sink's: put before every task queue's name, after the prefix of the connection. */
  readonly queuePrefix?: string;
}

const INPUT_HASH = "inputHash";

/** A client of the workflows of one namespace. */
export function workflowClient(
  temporal: Temporal,
  { types = WORKFLOW_TYPES, queuePrefix = "" }: WorkflowClientOptions = {},
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

  return {
    types,
    start: ({ type: name, input }) =>
      asking(async () => {
        const type = types.find((candidate) => candidate.name === name);
        if (!type)
          throw new WorkflowClientError("workflow_invalid", `Cannot start ${name}: there is no such workflow type`);
        const workflowId = type.idOf(input);
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
      }),
    list: (page) => asking(() => listRuns(temporal, page, prefix)),
    describe: (workflowId) => asking(() => describeRun(temporal, workflowId)),
    signal: (workflowId, name, input) => asking(() => handleOf(workflowId).signal(name, ...argsOf(input))),
    update: (workflowId, name, input, updateId) =>
      asking(() => {
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
