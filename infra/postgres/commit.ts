import postgres from "postgres";
import { type CommitBatch, MAX_PARTITIONS, type PauseWrite } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import { pagesOf } from "./outbox-page.ts";
import type { Sql } from "./pool.ts";

/**
 * A column of a batch: its SQL type, and the value of each row. `printable` and `json` are texts without control
 * characters (a key, a JSON text): they need no escaping, which `text` does.
 */
type Column<Row> =
  | readonly [type: "text" | "printable" | "json", value: (row: Row) => string | null]
  | readonly [type: "smallint" | "bigint", value: (row: Row) => number | null];

/** The rows of a part, as SQL. */
interface Rows {
  /** As a relation `u (column, …)`, for joins. */
  readonly from: string;
  /** As a select list of set-returning calls, for inserts: unlike a relation, it is not materialised first. */
  readonly list: string;
}

/** One of the writes of a commit, as a part of its statement. Rows come as one array parameter per column. */
interface Part {
  /** The array literals of the columns, or `undefined` when the batch has no such row. */
  arrays(batch: CommitBatch): readonly string[] | undefined;
  /** The writing query, with its arrays as the parameters after `$<last>`. */
  query(last: number): string;
}

function part<Row>(definition: {
  rows(batch: CommitBatch): readonly Row[];
  readonly columns: Readonly<Record<string, Column<Row>>>;
  /** The query. `held.ok` must guard it. */
  query(rows: Rows): string;
}): Part {
  const columns = Object.values(definition.columns);
  return {
    arrays(batch) {
      const rows = definition.rows(batch);
      return rows.length === 0 ? undefined : columns.map((column) => parameterOf(column, rows));
    },
    query(last) {
      const arrays = columns.map(([type], i) => arrayOf(type, last + i + 1));
      return definition.query({
        from: `unnest(${arrays.join(", ")}) u (${Object.keys(definition.columns).join(", ")})`,
        list: arrays.map((array) => `unnest(${array})`).join(", "),
      });
    },
  };
}

const SEPARATOR = "\u001f";
const NULL = "\u001e";

/** A column's values as one parameter. */
function parameterOf<Row>([type, value]: Column<Row>, rows: readonly Row[]): string {
  if (type === "smallint" || type === "bigint") return `{${rows.map((row) => value(row) ?? "null").join(",")}}`;
  if (type === "text") return arrayLiteral(rows.map(value));
  return rows.map((row) => value(row) ?? NULL).join(SEPARATOR);
}

/** The SQL that makes the array of a column out of its parameter. */
function arrayOf(type: Column<unknown>[0], parameter: number): string {
  if (type === "printable" || type === "json") return `string_to_array($${parameter}, E'\\x1f', E'\\x1e')`;
  return `$${parameter}::${type}[]`;
}

const states = part({
  rows: (batch) => batch.states.filter((write) => write.state !== undefined && write.schemaVersion === undefined),
  columns: {
    type: ["printable", (w) => w.type],
    key: ["printable", (w) => w.key],
    version: ["bigint", (w) => w.version],
    state: ["json", (w) => w.state ?? null],
  },
  query: (rows) => `
    insert into actor_states (type, key, version, state)
    select ${rows.list} from held where ok
    on conflict (type, key) do update set version = excluded.version, state = excluded.state`,
});

/** The states of types with a schema version: one more column, which the others need not pay for. */
const versionedStates = part({
  rows: (batch) => batch.states.filter((write) => write.state !== undefined && write.schemaVersion !== undefined),
  columns: {
    type: ["printable", (w) => w.type],
    key: ["printable", (w) => w.key],
    version: ["bigint", (w) => w.version],
    state: ["json", (w) => w.state ?? null],
    schema_version: ["smallint", (w) => w.schemaVersion ?? 1],
  },
  query: (rows) => `
    insert into actor_states (type, key, version, state, schema_version)
    select ${rows.list} from held where ok
    on conflict (type, key) do update
    set version = excluded.version, state = excluded.state, schema_version = excluded.schema_version`,
});

const destroyed = part({
  rows: (batch) => batch.states.filter((write) => write.state === undefined),
  columns: { type: ["printable", (w) => w.type], key: ["printable", (w) => w.key] },
  query: (rows) => `delete from actor_states a using held, ${rows.from} where ok and a.type = u.type and a.key = u.key`,
});

const REPLY_COLUMNS: Readonly<Record<string, Column<CommitBatch["replies"][number]>>> = {
  type: ["printable", (r) => r.type],
  key: ["printable", (r) => r.key],
  id: ["printable", (r) => r.id],
  hash: ["printable", (r) => r.hash],
  reply: ["json", (r) => r.reply ?? null],
  at_ms: ["bigint", (r) => r.at],
};

/** Replies to ids that are new, as nearly all are: to look for each id first costs a fifth of the commit. */
const newReplies = part({
  rows: (batch) => batch.replies,
  columns: REPLY_COLUMNS,
  query: (rows) => `
    insert into replies (type, key, id, hash, reply, at_ms)
    select ${rows.list} from held where ok`,
});

/** Replies of which some may take the place of others. */
const anyReplies = part({
  rows: (batch) => batch.replies,
  columns: REPLY_COLUMNS,
  query: (rows) => `
    insert into replies (type, key, id, hash, reply, at_ms)
    select ${rows.list} from held where ok
    on conflict (type, key, id) do update set hash = excluded.hash, reply = excluded.reply, at_ms = excluded.at_ms`,
});

const outbox = part({
  rows: (batch) => pagesOf(batch.outbox),
  columns: {
    partition: ["smallint", (p) => p.partition],
    kind: ["printable", (p) => p.kind],
    last_seq: ["bigint", (p) => p.lastSeq],
    count: ["smallint", (p) => p.count],
    at_ms: ["bigint", (p) => p.at],
    records: ["json", (p) => p.records],
  },
  query: (rows) => `
    insert into outbox (partition, kind, last_seq, count, at_ms, records)
    select ${rows.list} from held where ok`,
});

const timersSet = part({
  rows: (batch) => batch.timers.filter((write) => write.dueAt !== undefined),
  columns: {
    type: ["text", (t) => t.type],
    key: ["text", (t) => t.key],
    name: ["text", (t) => t.name],
    partition: ["smallint", (t) => t.partition],
    due_ms: ["bigint", (t) => t.dueAt],
    message: ["text", (t) => t.message],
    input: ["json", (t) => t.input ?? null],
    schedule: ["json", (t) => t.schedule ?? null],
    traceparent: ["text", (t) => t.traceparent ?? null],
  },
  query: (rows) => `
    insert into timers (type, key, name, partition, due_ms, message, input, schedule, traceparent)
    select ${rows.list} from held where ok
    on conflict (type, key, name) do update
    set due_ms = excluded.due_ms, message = excluded.message, input = excluded.input, schedule = excluded.schedule,
      traceparent = excluded.traceparent`,
});

const timersUnset = part({
  rows: (batch) => batch.timers.filter((write) => write.dueAt === undefined),
  columns: { type: ["text", (t) => t.type], key: ["text", (t) => t.key], name: ["text", (t) => t.name] },
  query: (rows) => `
    delete from timers t using held, ${rows.from} where ok and t.type = u.type and t.key = u.key and t.name = u.name`,
});

const indexSet = part({
  rows: (batch) => batch.index.filter((write) => write.value !== undefined),
  columns: {
    type: ["printable", (w) => w.type],
    key: ["printable", (w) => w.key],
    field: ["text", (w) => w.field],
    value: ["text", (w) => w.value ?? null],
    partition: ["smallint", (w) => w.partition],
  },
  query: (rows) => `
    insert into actor_index (type, key, field, value, partition)
    select ${rows.list} from held where ok
    on conflict (type, key, field) do update set value = excluded.value where actor_index.value <> excluded.value`,
});

const indexUnset = part({
  rows: (batch) => batch.index.filter((write) => write.value === undefined),
  columns: { type: ["printable", (w) => w.type], key: ["printable", (w) => w.key], field: ["text", (w) => w.field] },
  query: (rows) => `
    delete from actor_index i using held, ${rows.from} where ok and i.type = u.type and i.key = u.key and i.field = u.field`,
});

const journal = part({
  rows: (batch) => batch.journal ?? [],
  columns: {
    type: ["printable", (j) => j.type],
    key: ["printable", (j) => j.key],
    seq: ["bigint", (j) => j.seq],
    partition: ["smallint", (j) => j.partition],
    position: ["bigint", (j) => j.position],
    id: ["text", (j) => j.id],
    name: ["text", (j) => j.name],
    at_ms: ["bigint", (j) => j.at],
    data: ["json", (j) => j.data],
    traceparent: ["text", (j) => j.traceparent ?? null],
  },
  query: (rows) => `
    insert into journal (type, key, seq, partition, position, id, name, at_ms, data, traceparent)
    select ${rows.list} from held where ok`,
});

const NO_PAUSES: readonly PauseWrite[] = [];

const paused = part({
  rows: (batch) => (batch.pauses ?? NO_PAUSES).filter((write) => write.since !== undefined),
  columns: {
    type: ["printable", (p) => p.type],
    key: ["printable", (p) => p.key],
    partition: ["smallint", (p) => p.partition],
    since_ms: ["bigint", (p) => p.since],
    reason: ["text", (p) => p.reason],
  },
  query: (rows) => `
    insert into paused_actors (type, key, partition, since_ms, reason)
    select ${rows.list} from held where ok
    on conflict (type, key) do update set since_ms = excluded.since_ms, reason = excluded.reason`,
});

const resumed = part({
  rows: (batch) => (batch.pauses ?? NO_PAUSES).filter((write) => write.since === undefined),
  columns: { type: ["printable", (p) => p.type], key: ["printable", (p) => p.key] },
  query: (rows) => `
    delete from paused_actors p using held, ${rows.from} where ok and p.type = u.type and p.key = u.key`,
});

const PARTS: readonly Part[] = [
  states,
  versionedStates,
  destroyed,
  newReplies,
  anyReplies,
  outbox,
  timersSet,
  timersUnset,
  paused,
  resumed,
  indexSet,
  indexUnset,
  journal,
];

/** Statement texts by the parts they hold, as a bit mask: few combinations occur, each is prepared once a connection. */
const texts = new Map<number, string>();

/** What a commit answers: where it left the rows of its partitions, see `fence-places.ts`. */
export interface Committed {
  readonly places: string | null;
}

/** A bit that no part has: the fence finds its rows by their places. */
const BY_PLACE = 1 << PARTS.length;

/**
 * The commit of a batch: one statement, so one transaction and one round trip. The fence comes first; everything else
 * is written only where all of its partitions were held, and `refuse_commit()` rolls the statement back otherwise. So
 * it does where one of `places`, of the fences' rows, is not right any more.
 *
 * @param replaces whether a reply may take the place of another. Without it a reply to an id that has one is refused, and
 * the commit with it: {@link isKnownReply}.
 */
export function commitStatement(
  sql: Sql,
  node: string,
  batch: CommitBatch,
  places: readonly string[] | undefined,
  replaces: boolean,
): PromiseLike<readonly Committed[]> {
  const { fences } = batch;
  if (fences.length > MAX_PARTITIONS) throw new RangeError("Cannot commit to more partitions than there are");
  const parameters: (string | number)[] = [
    arrayLiteral(fences.map((fence) => fence.partition)),
    arrayLiteral(fences.map((fence) => fence.epoch)),
    arrayLiteral(fences.map((fence) => fence.lastSeq)),
    node,
    fences.length,
  ];
  if (places !== undefined) parameters.push(arrayLiteral(places));
  const used: { readonly part: Part; readonly last: number }[] = [];
  let mask = places === undefined ? 0 : BY_PLACE;
  const otherReplies = replaces ? newReplies : anyReplies;
  PARTS.forEach((candidate, bit) => {
    if (candidate === otherReplies) return;
    const arrays = candidate.arrays(batch);
    if (arrays === undefined) return;
    used.push({ part: candidate, last: parameters.length });
    parameters.push(...arrays);
    mask |= 1 << bit;
  });
  let text = texts.get(mask);
  if (text === undefined) {
    text = compose(used, places === undefined ? BY_ID_FENCE : BY_PLACE_FENCE);
    texts.set(mask, text);
  }
  // The text is made of the constants above; every value is a parameter.
  return sql.unsafe<Committed[]>(text, parameters, { prepare: true });
}

/** Whether a commit was refused as one of its replies is to an id that has one. */
export function isKnownReply(error: unknown): boolean {
  return error instanceof postgres.PostgresError && error.code === "23505" && error.constraint_name === "replies_pkey";
}

const BY_ID_FENCE = `
      from unnest($1::smallint[], $2::bigint[], $3::bigint[]) u (id, epoch, last_seq)
      where p.id = u.id`;

// An expression of the id: no plan may use its index, which leads to every version of the row.
const BY_PLACE_FENCE = `
      from unnest($1::smallint[], $2::bigint[], $3::bigint[], $6::tid[]) u (id, epoch, last_seq, place)
      where p.ctid = u.place and p.id + 0 = u.id`;

function compose(used: readonly { readonly part: Part; readonly last: number }[], fence: string): string {
  const writes = used.map(({ part: { query }, last }, i) => `, write_${i} as (${query(last)})`);
  return `
    with fence as (
      update partitions p set commit_seq = p.commit_seq + 1, last_seq = u.last_seq
      ${fence} and p.owner = $4 and p.epoch = u.epoch
      returning p.id || ' ' || p.ctid as place
    ), held as (select count(*) = $5::int as ok, string_agg(place, ';') as places from fence)
    ${writes.join("")}
    select case when ok then places when refuse_commit() then null end as places from held`;
}
