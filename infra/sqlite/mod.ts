/** The door `troupe/sqlite`: a store in a file, for systems of one machine. Needs Bun. */
export { sqlite } from "./store.ts";
export type { SqliteStoreOptions } from "./store.ts";
