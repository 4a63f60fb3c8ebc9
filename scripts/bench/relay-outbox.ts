import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { createTroupe, PARTITION_COUNT, type Sink, type Troupe } from "#runtime";
import { BEAT, Beat, NOTE } from "./beat.ts";
import { keyOf, type Way } from "./relay-way.ts";

/** Keys of the events that are written past the runtime, per partition: as many in all as there are actors. */
const KEYS_PER_PARTITION = 16;

/** The project's own: the outbox of a store, and the relay of a node. */
export class OutboxWay implements Way {
  readonly #url: string;
  readonly #sql: postgres.Sql;
  #troupe: Troupe | undefined;

  constructor(url: string) {
    this.#url = url;
    this.#sql = postgres(url, { max: 1, onnotice: () => undefined });
  }

  async prepare(): Promise<void> {
    const store = postgresStore(this.#url);
    await store.open();
    await store.close();
  }

  async write(n: number): Promise<void> {
    if (this.#troupe === undefined) throw new Error("Cannot write an event as no node runs");
    await this.#troupe.ref(Beat, keyOf(n)).happen(n);
  }

  /** Rows of one record each, as commits leave them that come one by one. */
  async fill(count: number): Promise<void> {
    const body = JSON.stringify({ n: 0, note: NOTE });
    const now = Date.now();
    await this.#sql.begin(async (sql) => {
      await sql`
        insert into outbox (partition, kind, last_seq, count, at_ms, records)
        select id, 'event', seq, 1, ${now}::bigint,
          json_build_array(json_build_array(seq, 'evt_' || id || '_' || seq, ${BEAT}::text, 'beat',
            'k' || id || '_' || seq % ${KEYS_PER_PARTITION}::int, null, null, ${now}::bigint, ${body}::text))::text
        from (
          select p.id, p.last_seq + 1 + i / ${PARTITION_COUNT}::int as seq
          from generate_series(0, ${count - 1}::int) i join partitions p on p.id = i % ${PARTITION_COUNT}::int
          order by i
        ) events`;
      await sql`
        update partitions p set last_seq = greatest(p.last_seq, o.last_seq)
        from (select partition, max(last_seq) as last_seq from outbox group by partition) o where o.partition = p.id`;
    });
    await this.#settle();
  }

  async age(count: number, sink: string): Promise<void> {
    await this.fill(count);
    await this.#sql`delete from outbox`;
    await this.fill(count);
    await this.#sql`insert into cursors (sink, partition, seq) select ${sink}, id, last_seq from partitions`;
    await this.#settle();
  }

  async carry(sink: Sink): Promise<AsyncDisposable> {
    const store = postgresStore(this.#url);
    const troupe = await createTroupe({ actors: [Beat], stores: { default: store }, sinks: [sink] });
    this.#troupe = troupe;
    return { [Symbol.asyncDispose]: () => troupe.stop() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end();
  }

  async #settle(): Promise<void> {
    await this.#sql`vacuum analyze`;
    await this.#sql`checkpoint`;
  }
}
