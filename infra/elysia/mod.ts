/** `troupe/elysia`: actors as routes of an Elysia application. */
export { actorRoutes } from "./routes.ts";
export type { ActorRoutes, ActorRoutesOptions, DoorOperation } from "./routes.ts";
