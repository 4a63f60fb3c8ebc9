/** `troupe/client`: actors called through a door, from a browser or any host with `fetch`. */
export { connect } from "./connect.ts";
export type { Client, ConnectOptions } from "./connect.ts";
export type { ClientSocket } from "./socket-line.ts";
export { CallError, reasonOf, RefusedCall } from "./errors.ts";
export type { CallIssue } from "./errors.ts";
export { remote } from "./types.ts";
export type {
  ActorName,
  App,
  Broadcast,
  ConnectData,
  Named,
  RemoteActor,
  RemoteMethod,
  RemoteOptions,
  RemoteRef,
  RemoteSocket,
  RemoteState,
} from "./types.ts";
