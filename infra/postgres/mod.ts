/** The door `troupe/postgres`: the store that several nodes share, and read models of what journaled actors emit. */
export { projection } from "./projections/projection.ts";
export type { ProjectedEvent, Projection, ProjectionOptions, ProjectionSql } from "./projections/projection.ts";
export { postgresReadModel } from "./projections/read-model.ts";
export type { PostgresReadModel, ReadModelOptions } from "./projections/read-model.ts";
export { postgresStore } from "./store.ts";
export type { PostgresStoreOptions } from "./store.ts";
