import { secretKeyId } from "#infra/secrets/secret-box.ts";
import type { Temporal } from "./connection.ts";

/** What {@link resealSchedules} is told. */
export interface ResealOptions {
  /** The key that seals now; an older one is known to the connection's codec. */
  readonly key: Uint8Array;
  /** By their full names: other systems may share the namespace. */
  readonly taskQueues: readonly string[];
}

/**
 * Has the key of today seal the inputs that schedules start their workflows with. A schedule lasts longer than any run: its
 * input would need the key of the day it was made for ever. Safe to repeat, and for several nodes at once.
 */
export async function resealSchedules(temporal: Temporal, { key, taskQueues }: ResealOptions): Promise<void> {
  const { client, namespace, call } = temporal;
  const current = secretKeyId(key);
  for (const scheduleId of await scheduleIds(temporal)) {
    // Asked as it is stored: nothing of a stranger's is opened.
    const { schedule } = await call(() => client.workflowService.describeSchedule({ namespace, scheduleId }));
    const { taskQueue, input } = schedule?.action?.startWorkflow ?? {};
    if (!taskQueues.includes(taskQueue?.name ?? "")) continue;
    const isOld = (input?.payloads ?? []).some(({ metadata }) => {
      const id = metadata?.["encryption-key-id"];
      return id === undefined || id === null || Buffer.from(id).toString("latin1") !== current;
    });
    // What is read is opened by whichever key fits, and what is written sealed by the first.

    if (isOld) await call(() => client.schedule.getHandle(scheduleId).update((previous) => previous));
  }
}

async function scheduleIds({ client, namespace, call }: Temporal): Promise<readonly string[]> {
  const ids: string[] = [];
  let nextPageToken: Uint8Array | undefined;
  do {
    const page = await call(() =>
      client.workflowService.listSchedules({ namespace, ...(nextPageToken && { nextPageToken }) }),
    );

    ids.push(...(page.schedules ?? []).map(({ scheduleId }) => scheduleId ?? ""));
    nextPageToken = page.nextPageToken?.length ? page.nextPageToken : undefined;
  } while (nextPageToken !== undefined);
  return ids;
}
