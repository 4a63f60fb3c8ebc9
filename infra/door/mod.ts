/** `troupe/http`: actors called over HTTP, on every host that has `fetch`. */
export { actorHandler } from "./handler.ts";
export type { ActorHandler, DoorCall, DoorOptions, Verdict } from "./handler.ts";
export { expose } from "./exposure.ts";
export type { Exposure } from "./exposure.ts";
export { DOOR_STATUSES } from "./failure.ts";
export type { DoorCode, RefusalBody } from "./failure.ts";
export type { DoorDocument } from "./openapi.ts";
export type { DoorTroupe } from "./watcher.ts";
