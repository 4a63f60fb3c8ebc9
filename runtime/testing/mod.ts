/** The door for tests: what the project itself is tested with. */
export { sinkConformance } from "./sink-conformance.ts";
export type { DeclareTest, Delivered, SinkUnderTest } from "./sink-conformance.ts";
