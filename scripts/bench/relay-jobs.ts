import { Logger, run, runMigrations } from "graphile-worker";
import postgres from "postgres";
import { type OutboxRecord, type Sink, uuidv7 } from "#runtime";
import { BEAT, NOTE } from "./beat.ts";
import { createTables } from "./one-statement.ts";
import { ACTORS, keyOf, type Way } from "./relay-way.ts";

/** Jobs under way at once, and how many are locked at a time where many wait. */
const CONCURRENCY = 200;
const LOCKED = 500;
const CONNECTIONS = 8;

const logger = new Logger(() => () => undefined);

/** What a job is given: the event, and when it happened. */
interface Payload {
  readonly id: string;
  readonly key: string;
  readonly body: string;
  readonly at: number;
}

/**
 * A job per event in a job queue, added in the transaction of the state; the job publishes. Jobs of one key run side by
 * side: their order is not kept, which only makes this baseline faster.
 */
export class JobsWay implements Way {
  readonly #url: string;
  readonly #sql: postgres.Sql;

  constructor(url: string) {
    this.#url = url;
    this.#sql = postgres(url, { max: 32, onnotice: () => undefined });
  }

  async prepare(): Promise<void> {
    await createTables(this.#sql);
    await runMigrations({ connectionString: this.#url, logger });
  }

  async write(n: number): Promise<void> {
    const key = keyOf(n);
    const payload = payloadOf(`evt_${uuidv7()}`, key, JSON.stringify({ n, note: NOTE }));
    await this.#sql`
      with s as (
        insert into states values ('beat', ${key}, 1, ${JSON.stringify({ count: n })}::json)
        on conflict (type, key) do update set version = states.version + 1, state = excluded.state returning version
      )
      select graphile_worker.add_job('publish', ${JSON.stringify(payload)}::text::json) from s`;
  }

  async fill(count: number): Promise<void> {
    const { body, at } = payloadOf("", "", JSON.stringify({ n: 0, note: NOTE }));
    await this.#sql`
      select count(*) from graphile_worker.add_jobs(array(
        select row('publish', json_build_object('id', 'evt_' || gen_random_uuid(), 'key', 'k' || i % ${ACTORS}::int,
          'body', ${body}::text, 'at', ${at}::bigint), null, null, null, null, null, null)::graphile_worker.job_spec
        from generate_series(1, ${count}::int) i))`;
    await this.#sql`vacuum analyze`;
    await this.#sql`checkpoint`;
  }

  async age(): Promise<void> {}

  async carry(sink: Sink): Promise<AsyncDisposable> {
    const [waiting] = await this.#sql<
      { count: number }[]
    >`select count(*)::int from (select from graphile_worker.jobs limit ${LOCKED}) j`;
    const together = new Together(sink);
    const runner = await run({
      connectionString: this.#url,
      logger,
      noHandleSignals: true,
      taskList: { publish: (payload) => together.publish(recordOf(payload as Payload)) },
      preset: {
        worker: {
          concurrentJobs: CONCURRENCY,
          maxPoolSize: CONNECTIONS,
          // Locking many at once helps with a backlog, and delays a job that comes alone.
          ...(waiting?.count === LOCKED && { localQueue: { size: LOCKED } }),
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
        },
      },
    });
    return { [Symbol.asyncDispose]: () => runner.stop() };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#sql.end();
  }
}

function payloadOf(id: string, key: string, body: string): Payload {
  return { id, key, body, at: Date.now() };
}

function recordOf({ id, key, body, at }: Payload): OutboxRecord {
  const actor = { type: "beat", key };
  return { partition: 0, seq: 0, kind: "event", id, name: BEAT, actor, target: key, body, at, traceparent: undefined };
}

/** Publishes what jobs bring one by one in as few calls as can be: what comes during a call goes into the next one. */
class Together {
  readonly #sink: Sink;
  #waiting: OutboxRecord[] = [];
  #next: Promise<void> | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(sink: Sink) {
    this.#sink = sink;
  }

  publish(record: OutboxRecord): Promise<void> {
    this.#waiting.push(record);
    return (this.#next ??= this.#call());
  }

  async #call(): Promise<void> {
    await this.#last.catch(() => undefined);
    const records = this.#waiting;
    this.#waiting = [];
    this.#next = undefined;
    await (this.#last = this.#sink.publish(records, 1));
  }
}
