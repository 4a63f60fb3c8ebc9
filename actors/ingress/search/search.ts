import type { IngressDeps } from "../deps.ts";
import { actorFinder, eventFinder } from "./actors.ts";
import { deadLetterFinder } from "./dead-letters.ts";
import type { SearchDeps } from "./deps.ts";
import type { Finder } from "./find.ts";
import { gatewayFinder } from "./gateway.ts";
import { orderFinder } from "./orders.ts";
import { processLogFinder } from "./process-log.ts";
import { containerLogFinder, serviceFinder } from "./services.ts";
import { traceFinder } from "./traces.ts";
import { workflowFinder } from "./workflows.ts";

/** Everything that can be found. */
export function findersOf(
  { troupe, orders, workflows, traces }: Pick<IngressDeps, "troupe" | "orders" | "workflows" | "traces">,
  { actors, sinks, containers, lines }: SearchDeps,
): readonly Finder[] {
  return [
    orderFinder(troupe, orders),
    workflowFinder(workflows),
    ...(traces === undefined ? [] : [traceFinder(traces)]),
    deadLetterFinder(troupe, sinks, actors),
    serviceFinder(troupe),
    containerLogFinder(troupe, containers),
    actorFinder(troupe, actors),
    eventFinder(troupe, actors),
    processLogFinder(lines),
    gatewayFinder(troupe),
  ];
}
