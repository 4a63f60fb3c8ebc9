/** `troupe/react`: actors in pages, live. */
export { ActorProvider, useActor, useBroadcasts, useSuspenseActor, useTopic } from "./hooks.ts";
export type { Optimistic, PageActor, SuspendedActor, TopicBroadcast, UsedActor, UsedTopic } from "./hooks.ts";
export type { ActorSnapshot } from "./actor-view.ts";
