/** `troupe/react`: actors in pages, live. */
export { ActorProvider, useActor, useBroadcasts } from "./hooks.ts";
export type { Optimistic, PageActor, UsedActor } from "./hooks.ts";
export type { ActorSnapshot } from "./actor-view.ts";
