import { type NativeConnection, Worker, type WorkerOptions } from "@temporalio/worker";

/** What {@link createWorker} is given. */
export interface CreateWorkerOptions extends WorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
}

/**
 * Makes a worker, or leaves nothing behind.
 *
 * `Worker.create` of the SDK (1.24) starts the thread of the workflows before it asks the server, and forgets that thread where the
 * server refuses: 30 MB an attempt, for as long as the namespace is missing. So the server is asked first, and the thread of a worker
 * that does not come is ended.
 * @throws what the server says, as where it has no such namespace or is away.
 */
export async function createWorker(options: CreateWorkerOptions): Promise<Worker> {
  const { connection, namespace } = options;
  await connection.workflowService.describeNamespace({ namespace });
  let thread: { destroy(): Promise<void> } | undefined;
  class Remembering extends Worker {
    protected static override async createWorkflowCreator(
      ...args: Parameters<(typeof Worker)["createWorkflowCreator"]>
    ) {
      const creator = await super.createWorkflowCreator(...args);
      thread = creator;
      return creator;
    }
  }
  try {
    return await Remembering.create(options);
  } catch (error) {
    await thread?.destroy();
    throw error;
  }
}
