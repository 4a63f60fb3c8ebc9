/** The door for adapters and tests: what the runtime is made of, without the promise to stay as it is. */
export { Buckets, SECONDS } from "./buckets.ts";
export { parseCloudEvent } from "./cloud-event.ts";
export { textHash } from "./hash.ts";
export { TopicHub } from "./topic-hub.ts";
export type { TopicHistory, TopicPage } from "./topic-history.ts";
export { TopicEntry } from "./topic-log.ts";
export type { TopicLimits } from "./topic-log.ts";
export { toIssue } from "./validate.ts";
export { withResolvers } from "./with-resolvers.ts";
