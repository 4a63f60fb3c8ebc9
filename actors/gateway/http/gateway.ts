import type { AnyElysia } from "elysia";
import { deadLetterRoutes } from "./dead-letters.ts";
import type { GatewayDeps } from "./deps.ts";
import { endpointRoutes } from "./endpoints.ts";
import { eventRoutes } from "./events.ts";
import { redriveRoutes } from "./redrives.ts";
import { routeRoutes } from "./routes.ts";
import { schemaRoutes } from "./schemas.ts";
import { sourceRoutes } from "./sources.ts";

/** The routes of the event gateway. */
export function gatewayRoutes(deps: GatewayDeps): readonly AnyElysia[] {
  return [
    eventRoutes(deps),
    sourceRoutes(deps),
    schemaRoutes(deps),
    routeRoutes(deps),
    endpointRoutes(deps),
    deadLetterRoutes(deps),
    redriveRoutes(deps),
  ];
}
