/** The door `troupe/postgres`: the store that several nodes share. */
export { postgresStore } from "./store.ts";
export type { PostgresStoreOptions } from "./store.ts";
