import type { WorkflowService } from "@temporalio/client";

/** A connection that workers poll through, as a start uses it. */
export interface WorkerLink {
  readonly workflowService: WorkflowService;
  withDeadline<T>(deadline: number | Date, calls: () => Promise<T>): Promise<T>;
}

/**
 * The connections of the workers that run in this process, by task queue. A start that goes through the connection of a worker
 * brings the first workflow task back in its answer, where the worker has room for it: the server saves a write and a
 * poll. Where there is no such worker, or it has no room, the task goes the way of all others.
 */
export class EagerStarts {
  readonly #links = new Map<string, WorkerLink>();

  /** A worker of the queue polls through `link` from now on. */
  offer(taskQueue: string, link: WorkerLink): void {
    this.#links.set(taskQueue, link);
  }

  /** It takes no new tasks. Does nothing where another one has taken its place. */
  withdraw(taskQueue: string, link: WorkerLink): void {
    if (this.#links.get(taskQueue) === link) this.#links.delete(taskQueue);
  }

  /** The connection of a worker of the queue; `undefined` where none runs here. */
  of(taskQueue: string): WorkerLink | undefined {
    return this.#links.get(taskQueue);
  }
}
