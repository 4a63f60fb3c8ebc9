/** Namespaces of tests: each has one of its own. */
import { eventually } from "#infra/testing/eventually.ts";
import { temporalConnection } from "./connection.ts";

const NAMESPACE_WITHIN_MS = 30_000;

/** Makes a namespace, and waits until the server lists what runs there: nothing. */
export async function makeNamespace(address: string, namespace: string): Promise<void> {
  const temporal = temporalConnection({ address, namespace });
  try {
    const { workflowService } = temporal.client;
    await temporal.call(() =>
      workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: { seconds: 86_400 as unknown as Long },
      }),
    );
    // The server's services learn of a namespace one after the other.
    await eventually(`Temporal knows the namespace ${namespace}`, NAMESPACE_WITHIN_MS, async () => {
      const listed = await temporal
        .call(() => workflowService.listWorkflowExecutions({ namespace, pageSize: 1 }))
        .catch(() => undefined);
      return listed !== undefined;
    });
  } finally {
    await temporal.close();
  }
}

/** Removes it with everything in it. */
export async function removeNamespace(address: string, namespace: string): Promise<void> {
  const temporal = temporalConnection({ address, namespace });
  try {
    await temporal.call(() => temporal.client.connection.operatorService.deleteNamespace({ namespace }));
  } finally {
    await temporal.close();
  }
}
