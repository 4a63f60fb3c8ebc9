import { withResolvers } from "../base/deferred.ts";
import { type CommitBatch, OutcomeUnknownError, type Store } from "../ports/store.ts";

/** What happens to a commit: refused by the store; lost on the way there; done, but the answer lost on the way back. */
export type CommitFault = "refused" | "lost-before" | "lost-after";

/**
 * A store whose commits go wrong on demand. `next` queues faults for the commits to come; `hold` and
 * `holdAnswers` keep commits or their answers waiting until the returned function is called.
 *
 * @example
 * ```ts
 * const faulty = new FaultyStore(memory());
 * const node = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
 * faulty.next("lost-after"); // the commit happens, its answer is lost
 * await node.ref(Counter, "visits").add({ by: 1 }); // 1: the runtime finds out, and writes nothing twice
 * await node.stop();
 * ```
 */
export class FaultyStore {
  readonly store: Store;
  readonly #faults: { readonly fault: CommitFault; readonly when: (batch: CommitBatch) => boolean }[] = [];
  #gate: Promise<void> = Promise.resolve();
  #answerGate: Promise<void> | undefined;
  /** Commits asked for so far. */
  commits = 0;

  constructor(inner: Store) {
    // A proxy that keeps the inner store as `this`: its private fields are not the proxy's.
    this.store = new Proxy(inner, {
      get: (target, property) => {
        if (property === "commit") return (node: string, batch: CommitBatch) => this.#commit(target, node, batch);
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  next(fault: CommitFault, when: (batch: CommitBatch) => boolean = () => true): void {
    this.#faults.push({ fault, when });
  }

  /** Makes every commit from now on wait, until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = withResolvers<void>();
    this.#gate = promise;
    return resolve;
  }

  /** Makes the answer of every commit from now on wait, until the returned function is called: it is written by then. */
  holdAnswers(): () => void {
    const { promise, resolve } = withResolvers<void>();
    this.#answerGate = promise;
    return resolve;
  }

  async #commit(target: Store, node: string, batch: CommitBatch): Promise<void> {
    this.commits++;
    await this.#gate;
    const index = this.#faults.findIndex(({ when }) => when(batch));
    const fault = index < 0 ? undefined : this.#faults.splice(index, 1)[0]?.fault;
    if (fault === "refused") throw new Error("the store refused the commit");
    if (fault === "lost-before") throw new OutcomeUnknownError("the connection was lost");
    await target.commit(node, batch);
    if (this.#answerGate !== undefined) await this.#answerGate;
    if (fault === "lost-after") throw new OutcomeUnknownError("the connection was lost");
  }
}
