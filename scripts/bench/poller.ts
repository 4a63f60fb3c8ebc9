import type postgres from "postgres";
import type { OutboxRecord, Sink } from "#runtime";

/** How a {@link Poller} goes about it. */
export interface PollerOptions {
  /** Pause after a look that found less than a full batch; 0 looks again at once. */
  readonly intervalMs: number;
  readonly batch: number;
}

interface EventRow {
  readonly seq: string;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly key: string;
  readonly body: string;
  readonly at_ms: string;
}

/** The usual outbox poller, as the relay's baseline: locks rows, publishes them, deletes them, all in one transaction. */
export class Poller implements AsyncDisposable {
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(sql: postgres.Sql, sink: Sink, options: PollerOptions) {
    this.#running = this.#run(sql, sink, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(sql: postgres.Sql, sink: Sink, { intervalMs, batch }: PollerOptions): Promise<void> {
    while (!this.#stopped) {
      const found = await sql.begin(async (transaction) => {
        const rows = await transaction<EventRow[]>`
          select seq, id, name, type, key, body, at_ms from events order by seq limit ${batch} for update skip locked`;
        if (rows.length === 0) return 0;
        await sink.publish(rows.map(recordOf), 1);
        await transaction`delete from events where seq = any(${rows.map(({ seq }) => seq)}::bigint[])`;
        return rows.length;
      });
      if (found < batch && intervalMs > 0) await new Promise((resolve) => setTimeout(resolve, intervalMs));
    }
  }
}

function recordOf({ seq, id, name, type, key, body, at_ms: at }: EventRow): OutboxRecord {
  return {
    partition: 0,
    seq: Number(seq),
    kind: "event",
    id,
    name,
    actor: { type, key },
    target: key,
    body,
    at: Number(at),
    traceparent: undefined,
  };
}
