import type postgres from "postgres";
import { isOutcomeUnknown, type Sql } from "./pool.ts";

/**
 * Runs a transaction in which nothing is done any more once its connection is lost.
 *
 * The driver goes on with a transaction whose connection has closed: it sends ROLLBACK, and whatever `run` still asks for,
 * over a socket that is not there (an uncaught error), or over the connection that has taken its place, outside of any
 * transaction. So what `run` asks for after the loss is refused, and a run that failed by the loss never ends: the driver
 * has rejected the transaction by then.
 */
export function transaction<T>(sql: Sql, run: (tx: postgres.TransactionSql) => Promise<T>): Promise<T> {
  let over = false;
  const done = sql.begin(async (tx): Promise<T> => {
    try {
      return await run(guarded(tx, () => over));
    } catch (error) {
      if (isOutcomeUnknown(error)) return new Promise<never>(() => undefined);
      throw error;
    }
  }) as Promise<T>;
  return done.finally(() => {
    over = true;
  });
}

/** The transaction's connection is gone, and all it did with it. */
class TransactionOverError extends Error {
  override readonly name = "TransactionOverError";
  readonly code = "CONNECTION_CLOSED";
}

function guarded(tx: postgres.TransactionSql, over: () => boolean): postgres.TransactionSql {
  const check = (): void => {
    if (over()) throw new TransactionOverError("Cannot go on with a transaction that is over");
  };
  return new Proxy(tx, {
    apply(target, self, args: unknown[]): unknown {
      check();
      return Reflect.apply(target, self, args) as unknown;
    },
    get(target, property): unknown {
      check();
      return Reflect.get(target, property) as unknown;
    },
  });
}
