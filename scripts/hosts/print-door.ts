import type { Serve } from "#infra/door/door-bench.ts";
import { doorChecks } from "#infra/door/door-conformance.ts";
import { failure } from "#infra/testing/checks.ts";
import type { Outcome } from "./suite.ts";

/** Runs the checks of the door over `serve`, one after the other. Prints the outcome as JSON. */
export async function printDoor(serve: Serve): Promise<void> {
  const outcomes: Outcome[] = [];
  for (const [check, run] of Object.entries(doorChecks(serve))) {
    const error = await failure(run());
    outcomes.push(error === undefined ? { check } : { check, fault: String(error) });
  }
  console.log(JSON.stringify(outcomes));
}
