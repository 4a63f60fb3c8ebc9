/** `troupe/http`: actors called over HTTP and sockets, on every host that has `fetch`. */
export { actorHandler } from "./handler.ts";
export type { ActorHandler } from "./handler.ts";
export type { DoorCall, DoorOptions, DoorTroupe, SocketLimits, Verdict } from "./options.ts";
export { expose } from "./exposure.ts";
export type { Exposure } from "./exposure.ts";
export { DOOR_STATUSES } from "./failure.ts";
export type { DoorCode, RefusalBody } from "./failure.ts";
export type { DoorDocument } from "./openapi.ts";
export type { DoorSession, SessionHooks, SocketLine } from "./socket-line.ts";
export { bunSockets, denoFetch, serveSocket, workerFetch } from "./socket-hosts.ts";
export type { BunHandlers, BunSocket, BunSocketData, WebSocketLike } from "./socket-hosts.ts";
