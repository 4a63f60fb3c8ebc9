import postgres from "postgres";
import type { Sink } from "#runtime";
import { BEAT, NOTE } from "./beat.ts";
import { createTables, writeOnce } from "./one-statement.ts";
import { Poller } from "./poller.ts";
import { ACTORS, keyOf, type Way } from "./relay-way.ts";

/** Between two looks that found less than a full batch. */
const INTERVAL_MS = 50;
const BATCH = 500;

/** The usual outbox: a table that a poller locks rows in, publishes and deletes them. It keeps nothing, so it does not age. */
export class PollerWay implements Way {
  readonly #sql: postgres.Sql;

  constructor(url: string) {
    this.#sql = postgres(url, { max: 32, onnotice: () => undefined });
  }

  prepare(): Promise<void> {
    return createTables(this.#sql);
  }

  async write(n: number): Promise<void> {
    const data = { n, note: NOTE };
    await writeOnce(this.#sql, { type: "beat", key: keyOf(n), state: { count: n }, event: BEAT, data });
  }

  async fill(count: number): Promise<void> {
    await this.#sql`
      insert into events (id, name, type, key, body, at_ms)
      select 'evt_' || gen_random_uuid(), ${BEAT}, 'beat', 'k' || (i % ${ACTORS}::int), ${JSON.stringify({ n: 0, note: NOTE })}, ${Date.now()}::bigint
      from generate_series(1, ${count}::int) i`;
    await this.#sql`vacuum analyze events`;
    await this.#sql`checkpoint`;
  }

  async age(): Promise<void> {}

  carry(sink: Sink): Promise<AsyncDisposable> {
    return Promise.resolve(new Poller(this.#sql, sink, { intervalMs: INTERVAL_MS, batch: BATCH }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end();
  }
}
