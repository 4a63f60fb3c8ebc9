import postgres from "postgres";

/**
 * A transaction that is left open, as of a report that runs for long, or a session that was forgotten: until it is
 * disposed of, nothing that is overwritten or deleted in this database can be vacuumed away.
 */
export async function openTransaction(url: string): Promise<AsyncDisposable> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const ending = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const ended = sql
    .begin("isolation level repeatable read", async (transaction) => {
      // With a number of its own, as a transaction has that wrote something.
      await transaction`select pg_current_xact_id()`;
      opened.resolve();
      await ending.promise;
    })
    .catch(opened.reject);
  await opened.promise;
  return {
    async [Symbol.asyncDispose]() {
      ending.resolve();
      await ended;
      await sql.end();
    },
  };
}
