import { POSTGRES_SETTINGS_VARIABLE } from "#infra/stack/postgres.ts";
import { openTestRun } from "#infra/stack/test-run.ts";

/**
 * Has everything of this process and its children measured on a PostgreSQL of this run's own that keeps the defaults it is
 * delivered with, whatever else runs. It is gone when the process is.
 */
export async function useDeliveredPostgres(): Promise<void> {
  delete process.env["DATABASE_URL"];
  process.env[POSTGRES_SETTINGS_VARIABLE] = "delivered";
  const run = await openTestRun();
  Object.assign(process.env, await run.server("postgres"));
}
