import postgres from "postgres";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { withConnection } from "#infra/stack/postgres.ts";
import { postmasterOf } from "./cpu.ts";
import { fillStore } from "./full-store.ts";
import { requestBytes } from "./http-client.ts";
import { driveHttp } from "./http-load.ts";
import type { Measured } from "./measure.ts";
import { createTables } from "./one-statement.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { startServer } from "./server-process.ts";

const SERVER = Bun.fileURLToPath(new URL("route-server.ts", import.meta.url));
const FEW_KEYS = 1_000;
const MANY_KEYS = 100_000;
/** Requests that are made up beforehand, for keys at random. */
const REQUESTS = 50_000;

type Mode = "troupe" | "hand";

/** A durable turn with one event behind one Elysia route, against a hand-written handler; and over keys that are not in memory. */
export async function* route(): AsyncGenerator<BenchCase> {
  const postmaster = await postmasterOf(await testServer("postgres"));
  const count = (n: number): string => n.toLocaleString("en-US");
  let few: Measured | undefined;
  for (const [callers, keys] of [
    [64, FEW_KEYS],
    [256, FEW_KEYS],
    [256, MANY_KEYS],
  ] as const) {
    const name = `${callers} callers, ${count(keys)} keys`;
    progress(`route: ${name}, then the same by hand (8 s each)`);
    const measured = await reached("troupe", { callers, keys, postmaster });
    const byHand = await reached("hand", { callers, keys, postmaster });
    const baseline = { name: "Elysia, one statement per request, pool of 32", ...byHand };
    yield { bench: "route", case: name, measured, baseline };
    if (keys === MANY_KEYS && few !== undefined)
      yield { bench: "route", case: name, measured, baseline: { name: `${count(FEW_KEYS)} keys`, ...few } };
    few = measured;
  }
}

async function reached(
  mode: Mode,
  {
    callers,
    keys,
    postmaster,
  }: { readonly callers: number; readonly keys: number; readonly postmaster: number | undefined },
): Promise<Measured> {
  await using database = await testDatabase(`bench_route_${mode}`);
  if (mode === "troupe") await fillStore(database.url, { actors: keys, prunedEvents: 0 });
  else await fillTables(database.url, keys);
  await using server = await startServer(SERVER, mode, database.url);
  const { host } = new URL(server.address);
  const requests = Array.from({ length: REQUESTS }, () =>
    requestBytes(host, {
      method: "POST",
      path: `/accounts/k${Math.floor(Math.random() * keys)}/increment`,
      body: { by: 1 },
    }),
  );
  const at = (caller: number, nth: number): Uint8Array => requests[(caller * 997 + nth) % REQUESTS] ?? new Uint8Array();
  return await driveHttp({ label: `route: ${mode}`, postmaster, ...server }, callers, at);
}

async function fillTables(url: string, keys: number): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await createTables(sql);
  } finally {
    await sql.end();
  }
  const state = JSON.stringify({ count: 1, owner: "somebody", items: ["a", "b"] });
  await withConnection(url, async (own) => {
    await own`
      insert into states (type, key, version, state)
      select 'account', 'k' || i, 1, ${state}::text::json from generate_series(0, ${keys - 1}::int) i`;
    await own`vacuum analyze states`;
    await own`checkpoint`;
  });
}
