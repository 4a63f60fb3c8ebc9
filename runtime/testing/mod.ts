/** The door for tests: what the project itself is tested with. */
export { sinkConformance } from "./sink-conformance.ts";
export type { DeclareTest, Delivered, SinkUnderTest } from "./sink-conformance.ts";
export { FaultyStore } from "./faulty-store.ts";
export type { CommitFault } from "./faulty-store.ts";
export { storeConformance } from "./store-conformance.ts";
export type { StoreFixture, TestTools } from "./store-conformance.ts";
export { checkHistory } from "./simulation/check-history.ts";
export type { RefOptions, SimulatedClient } from "./simulation/client.ts";
export { CRASH_POINTS, crashAt, FAULT_KINDS } from "./simulation/faults.ts";
export type { CrashPoint, Fault, FaultKind, PlacedCrash } from "./simulation/faults.ts";
export type { History, HistoryEntry } from "./simulation/history.ts";
export { SeededRandom } from "./simulation/seeded-random.ts";
export { simulate } from "./simulation/simulate.ts";
export type { Invariant, Outcome, SimulationOptions, SimulationSetup } from "./simulation/simulate.ts";
export { simulateMany } from "./simulation/simulate-many.ts";
export type { ManySimulationsOptions } from "./simulation/simulate-many.ts";
export { SimulationError } from "./simulation/simulation-error.ts";
export type { Violation, ViolationKind } from "./simulation/violation.ts";
