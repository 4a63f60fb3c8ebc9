import { withResolvers } from "../base/deferred.ts";
import { type CommitBatch, CommitRefusedError, OutcomeUnknownError, type Store } from "../ports/store.ts";

/**
 * What happens to a commit: refused by the store; lost on the way there; done, but the answer lost on the way back. `broke`:
 * as `lost`, but with an error of which nobody can tell by its code what it means.
 */
export type CommitFault = "refused" | "lost-before" | "lost-after" | "broke-before" | "broke-after";

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
  #refuses: ((batch: CommitBatch) => boolean) | undefined;
  readonly #readGates = new Map<string, Promise<void>>();
  /** Commits asked for so far. */
  commits = 0;

  constructor(inner: Store) {
    // A proxy that keeps the inner store as `this`: its private fields are not the proxy's.
    this.store = new Proxy(inner, {
      get: (target, property) => {
        if (property === "commit") return (node: string, batch: CommitBatch) => this.#commit(target, node, batch);
        const value: unknown = Reflect.get(target, property, target);
        if (typeof property === "string" && this.#readGates.has(property)) {
          return (...args: readonly unknown[]) => this.#read(target, property, args);
        }
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

  /** Refuses every commit from now on that fits. */
  refuse(when: (batch: CommitBatch) => boolean): void {
    this.#refuses = when;
  }

  /**
   * Makes the answers of a read (`timers`, `load`, …) come late from now on, until the returned function is called: they
   * show what was stored when it was asked for.
   */
  holdReads(name: keyof Store): () => void {
    const { promise, resolve } = withResolvers<void>();
    this.#readGates.set(name, promise);
    return () => {
      this.#readGates.delete(name);
      resolve();
    };
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
    if (fault === "refused" || this.#refuses?.(batch) === true) {
      throw new CommitRefusedError("the store refused the commit");
    }
    if (fault === "lost-before") throw new OutcomeUnknownError("the connection was lost");
    if (fault === "broke-before") throw broken();
    await target.commit(node, batch);
    if (this.#answerGate !== undefined) await this.#answerGate;
    if (fault === "lost-after") throw new OutcomeUnknownError("the connection was lost");
    if (fault === "broke-after") throw broken();
  }

  async #read(target: Store, name: string, args: readonly unknown[]): Promise<unknown> {
    const gate = this.#readGates.get(name);
    const rows: unknown = await (Reflect.get(target, name, target) as (...args: unknown[]) => unknown).apply(target, [
      ...args,
    ]);
    if (gate !== undefined) await gate;
    return rows;
  }
}

function broken(): Error {
  return Object.assign(new Error("write EHOSTUNREACH"), { code: "EHOSTUNREACH" });
}
