import type { Serve } from "#infra/door/door-bench.ts";
import { doorChecks } from "#infra/door/door-conformance.ts";
import { outcomesOf } from "./outcomes.ts";

/** Runs the checks of the door over `serve`. Prints the outcome as JSON. */
export async function printDoor(serve: Serve): Promise<void> {
  console.log(JSON.stringify(await outcomesOf(doorChecks(serve))));
}
