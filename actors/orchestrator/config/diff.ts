import { workflowIds } from "#workflows/workflow-ids.ts";
import type { Change, ConfigServices, ServiceChange } from "./messages.ts";

/** What becomes of each service when `after` takes the place of `before`, in order of the name. */
export function diff(before: ConfigServices, after: ConfigServices): ServiceChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return names.map((name) => ({
    name,
    change: changeOf(before[name], after[name]),
    workflowId:
      (after[name] ?? before[name])?.job === undefined
        ? workflowIds.reconcileService(name)
        : workflowIds.keepSchedule(name),
  }));
}

function changeOf(before: ConfigServices[string] | undefined, after: ConfigServices[string] | undefined): Change {
  if (!after) return "remove";
  if (!before) return "create";
  return Bun.deepEquals(before, after, true) ? "unchanged" : "update";
}
