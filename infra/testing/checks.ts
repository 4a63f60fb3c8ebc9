/** Checks for suites that run on every host, where there is no test runner: web standards alone. */

/** What a promise was rejected with; `undefined` where it was not. */
export async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
    return undefined;
  } catch (error) {
    return error;
  }
}

/** @throws {Error} the two are not the same as JSON. */
export function equal(actual: unknown, expected: unknown): void {
  const [is, should] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (is !== should) throw new Error(`Got ${is}, expected ${should}`);
}

/** @throws {Error} it did not hold within 10 s. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error("Waited 10 s in vain");
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
