import { failure } from "#infra/testing/checks.ts";

/** How a check ended; `fault` is what went wrong. */
export interface Outcome {
  readonly check: string;
  readonly fault?: string;
}

/** Checks under way at once: most of their time they wait. */
const AT_ONCE = 8;

/** Runs every check, some at once, each with actors of its own. Never rejects; in the order of the checks. */
export async function outcomesOf(checks: Readonly<Record<string, () => Promise<void>>>): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  const left = Object.entries(checks).entries();
  const work = async (): Promise<void> => {
    for (const [at, [check, run]] of left) {
      const error = await failure(run());
      outcomes[at] = error === undefined ? { check } : { check, fault: String(error) };
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return outcomes;
}
