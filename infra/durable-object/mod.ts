/** `troupe/durable-object`: actors in Durable Objects, on their SQLite storage. */
export { actorObject, toObject } from "./actor-object.ts";
export type { ActorObject, ActorObjectOptions, ObjectContext, ObjectNamespace } from "./actor-object.ts";
export type { ObjectStorage } from "./database.ts";
export { httpSink } from "./http-sink.ts";
export type { HttpSinkOptions } from "./http-sink.ts";
