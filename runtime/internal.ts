/** The door for adapters and tests: what the runtime is made of, without the promise to stay as it is. */
export { Buckets, SECONDS } from "./telemetry/buckets.ts";
export { parseCloudEvent } from "./message/cloud-event.ts";
export { eventOfJournal } from "./journal/event-of-journal.ts";
export { textHash } from "./base/hash.ts";
export { TopicHub } from "./topics/hub.ts";
export type { TopicHistory, TopicPage } from "./topics/history.ts";
export { TopicEntry } from "./topics/log.ts";
export type { TopicLimits } from "./topics/log.ts";
export { listsForMaps } from "./message/lists-for-maps.ts";
export { keyOf, pointerOf, stepOf } from "./base/json-pointer.ts";
export { toIssue } from "./message/validate.ts";
export { withResolvers } from "./base/deferred.ts";
export { CLOSE, CONNECT, KEEP, LEASE_MS, RECEIVE } from "./actor/socket-commands.ts";
export type { SocketReply } from "./actor/socket-commands.ts";
export { socketTopic } from "./topics/socket-topic.ts";
export type { SocketBroadcast } from "./turn/turn-sockets.ts";
