/** The store's suite inside a Durable Object, as a worker: every request runs it and is answered with the outcome as JSON. */
import type { ObjectStorage } from "#infra/durable-object/database.ts";
import { type ObjectNamespace, toObject } from "#infra/durable-object/mod.ts";
import { ObjectStore } from "#infra/durable-object/store.ts";
import { failure } from "#infra/testing/checks.ts";
import type { Store } from "#runtime";
import { durableStoreConformance, scheduleConformance, storeConformance, type TestTools } from "#runtime/testing";
import type { Outcome } from "./outcomes.ts";

interface Context {
  readonly storage: ObjectStorage & { deleteAll(): Promise<void> };
}

/** Runs the suite on its own storage. */
export class Suite {
  readonly #storage: Context["storage"];

  constructor(context: Context) {
    this.#storage = context.storage;
  }

  /** Some of the timers of the suite are due at once. */
  async alarm(): Promise<void> {}

  async fetch(): Promise<Response> {
    const tests: [string, () => Promise<void>][] = [];
    const tools: TestTools = { test: (name, run) => tests.push([name, run]), expect };
    const make = async (partitions?: number) => {
      await this.#storage.deleteAll();
      const another = (asked?: number): Store => new ObjectStore(this.#storage, asked);
      return { store: another(partitions), another, [Symbol.asyncDispose]: () => Promise.resolve() };
    };
    storeConformance("object", make, tools);
    durableStoreConformance("object", make, tools);
    scheduleConformance("object", make, tools);
    const outcomes: Outcome[] = [];
    for (const [check, run] of tests) {
      const error = await failure(run());
      outcomes.push(error === undefined ? { check } : { check, fault: String(error) });
    }
    return Response.json(outcomes);
  }
}

/** The parts of a test runner that the suite needs. What is `undefined` is as good as not there. */
function expect(actual: unknown): ReturnType<TestTools["expect"]> {
  const holds = (good: boolean, how: string, expected: unknown): void => {
    if (!good)
      throw new Error(`Expected ${JSON.stringify(actual)} ${how} ${JSON.stringify(expected) ?? String(expected)}`);
  };
  return {
    toBe: (expected) => holds(Object.is(actual, expected), "to be", expected),
    toEqual: (expected) => holds(alike(actual, expected), "to equal", expected),
    toBeInstanceOf: (expected) => holds(actual instanceof (expected as new () => object), "to be a", expected),
  };
}

function alike(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return Object.is(a, b);
  if (a instanceof Set && b instanceof Set) return alike([...a], [...b]);
  if (a instanceof Map && b instanceof Map) return alike([...a], [...b]);
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a, b] as [Record<string, unknown>, Record<string, unknown>];
  return [...new Set([...Object.keys(left), ...Object.keys(right)])].every((key) => alike(left[key], right[key]));
}

// oxlint-disable-next-line import/no-default-export -- the form of a worker
export default {
  fetch: (request: Request, { ACTORS }: { readonly ACTORS: ObjectNamespace }): Promise<Response> =>
    toObject(request, ACTORS),
};
