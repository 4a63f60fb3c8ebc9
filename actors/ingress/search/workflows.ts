import { toProblem } from "#infra/http/to-problem.ts";
import type { WorkflowClient } from "#workflows/client.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import type { Finder } from "./find.ts";
import { type Hit, hit } from "./hit.ts";

/** The workflows whose ids are made of one key. */
const OF_A_KEY = [
  workflowIds.fulfilOrder,
  workflowIds.returnOrder,
  workflowIds.settlePayment,
  workflowIds.runSimulation,
  workflowIds.deliverWebhook,
  workflowIds.reconcileService,
  workflowIds.keepSchedule,
] as const;
/** An id with a prefix belongs to a few of them. */
const OF_PREFIX: Readonly<Record<string, readonly ((key: string) => string)[]>> = {
  ord: [workflowIds.fulfilOrder, workflowIds.returnOrder, workflowIds.settlePayment],
  sim: [workflowIds.runSimulation],
  dlv: [workflowIds.deliverWebhook],
};
const FAILED: ReadonlySet<string> = new Set(["FAILED", "TERMINATED", "TIMED_OUT"]);
const WORKFLOW_ID = /^[\x21-\x7e]{1,200}$/;

/** Finds the newest runs of the workflows of a key, or of a workflow id. */
export function workflowFinder(workflows: () => WorkflowClient): Finder {
  return {
    kinds: ["workflow"],
    scope: "admin",
    async find({ keys }) {
      const client = workflows();
      const ids = new Set(keys.flatMap(idsOf).filter((id) => WORKFLOW_ID.test(id)));
      return (await Promise.all([...ids].map((id) => found(client, id)))).flat();
    },
  };
}

function idsOf(key: string): readonly string[] {
  if (key.includes("/")) return [key];
  const prefix = key.slice(0, key.indexOf("_"));
  const known = Object.hasOwn(OF_PREFIX, prefix) ? OF_PREFIX[prefix] : undefined;
  return (known ?? OF_A_KEY).map((idOf) => idOf(key));
}

async function found(client: WorkflowClient, id: string): Promise<readonly Hit[]> {
  const run = await client.describe(id).catch(nullIfNone);
  if (run === null) return [];
  const { status, failure, pendingActivities, type, startedAt, closedAt } = run;
  const stuck = pendingActivities.find(({ lastFailure }) => lastFailure !== null);
  const detail =
    failure !== null
      ? `${failure.type}: ${failure.message}`
      : stuck === undefined
        ? null
        : `${stuck.type}, try ${stuck.attempt}: ${stuck.lastFailure}`;
  return [
    hit({
      ...{ kind: "workflow", id, status, detail, title: type, at: closedAt ?? startedAt },
      failed: FAILED.has(status) || stuck !== undefined,
      page: `/console/workflows/${encodeURIComponent(id)}`,
      api: `/workflows/${encodeURIComponent(id)}`,
    }),
  ];
}

function nullIfNone(error: unknown): null {
  if (toProblem(error, { noun: "workflow" }).status === 404) return null;
  throw error;
}
