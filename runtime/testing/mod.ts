/** The door for tests: what the project itself is tested with. */
export { sinkConformance } from "./sink-conformance.ts";
export type { DeclareTest, Delivered, SinkUnderTest } from "./sink-conformance.ts";
export { sourceConformance } from "./source-conformance.ts";
export type { SourceUnderTest } from "./source-conformance.ts";
export { FaultyStore } from "./faulty-store.ts";
export type { CommitFault } from "./faulty-store.ts";
export { controlConformance } from "./control-conformance.ts";
export type { SharedStoreFixture } from "./control-conformance.ts";
export { deadLetterConformance } from "./dead-letter-conformance.ts";
export { scheduleConformance } from "./schedule-conformance.ts";
export { storeConformance } from "./store-conformance.ts";
export type { StoreFixture, TestTools } from "./store-conformance.ts";
export { topicsConformance } from "./topics-conformance.ts";
export type { TopicsSetup, TopicsUnderTest } from "./topics-conformance.ts";
