import { createReadStream, createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type postgres from "postgres";

const ROWS_AT_ONCE = 2_000;
/** Leases: nobody holds one after a restore. Migrations: made by the tables' own making. */
const NOT_COPIED: ReadonlySet<string> = new Set(["nodes", "migrations"]);

type Queries = Pick<postgres.Sql, "unsafe">;

/** The tables of a store; what projections built is left out, as they build it anew from the journals. */
export async function tablesOf(sql: Queries): Promise<readonly string[]> {
  const rows = await sql.unsafe<{ name: string }[]>(
    "select tablename as name from pg_tables where schemaname = 'public' order by tablename",
  );
  return rows.map(({ name }) => name).filter((name) => !NOT_COPIED.has(name));
}

/** Writes every row of a table as a line of JSON, compressed. Resolves with how many. */
export async function writeTable(sql: Queries, table: string, file: string): Promise<number> {
  let rows = 0;
  async function* lines(): AsyncGenerator<string> {
    const query = sql.unsafe<{ row: string }[]>(`select row_to_json(t)::text as row from public."${table}" t`);
    for await (const batch of query.cursor(ROWS_AT_ONCE)) {
      rows += batch.length;
      yield batch.map(({ row }) => `${row}\n`).join("");
    }
  }
  await pipeline(Readable.from(lines()), createGzip({ level: 4 }), createWriteStream(file));
  return rows;
}

/** Puts the rows of a file into a table, beside what is there. Resolves with how many. */
export async function readTable(sql: Queries, table: string, file: string): Promise<number> {
  let rows = 0;
  let batch: string[] = [];
  const write = async (): Promise<void> => {
    if (batch.length === 0) return;
    await sql.unsafe(
      `insert into public."${table}" overriding system value
       select r.* from json_populate_recordset(null::public."${table}", $1::text::json) r`,
      [`[${batch.join(",")}]`],
    );
    rows += batch.length;
    batch = [];
  };
  for await (const line of createInterface({
    input: createReadStream(file).pipe(createGunzip()),
    crlfDelay: Infinity,
  })) {
    if (line === "") continue;
    batch.push(line);
    if (batch.length >= ROWS_AT_ONCE) await write();
  }
  await write();
  return rows;
}
