/**
 * The disaster drill: a system takes orders, is backed up meanwhile, and is destroyed; another one is made of the backup, and
 * everything is counted.
 *
 * Owns: two clusters of its own on the servers that are there, by names that nobody else has. Touches nothing else.
 */
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "../e2e/app-process.ts";
import { type Harness, openHarness } from "../e2e/harness.ts";
import { level, stockUp } from "../e2e/shop.ts";

/** Something that was counted after the restore. */
export interface Check {
  readonly name: string;
  readonly holds: boolean;
  readonly expected: string;
  readonly actual: string;
}

/** What a drill found out. */
export interface DrillReport {
  readonly checks: readonly Check[];
  /** Milliseconds from the destruction to the first answer of `/ready`. */
  readonly awayMs: number;
}

/** What {@link drill} is given. */
export interface DrillOptions {
  /** Orders placed before the backup begins, and as many while it is taken. */
  readonly orders: number;
  /** Told of each step that was done. */
  readonly say: (line: string) => void;
}

const SCRIPTS = join(import.meta.dirname, "..");
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";
const SKU = "TEA-1";
const PIECES = 1_000;
const ENDS_WITHIN_MS = 120_000;

/** Runs the drill. Leaves nothing behind, however it ends. @throws {Error} when a step cannot be done at all. */
export async function drill({ orders, say }: DrillOptions): Promise<DrillReport> {
  const environment = { TROUPE_SECRET_KEY: SECRET };
  const folder = await mkdtemp(join(tmpdir(), "troupe-drill-"));
  await using before = await openHarness({ environment });
  await using after = await openHarness({ environment });
  try {
    return await run(before, after, folder, orders, say);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function run(
  before: Harness,
  after: Harness,
  folder: string,
  orders: number,
  say: DrillOptions["say"],
): Promise<DrillReport> {
  const app = await before.start().ready();
  await stockUp(app, SKU, PIECES);
  const known = await placed(app, 0, orders);
  say(`${orders} orders were placed`);
  const meanwhile = placed(app, orders, orders);
  const [out, keys] = [join(folder, "backup"), join(folder, "keys")];
  const backup = await command("backup.ts", ["--out", out, "--secrets", keys], before);
  const late = await meanwhile;
  say(`backup, while ${orders} more came in: ${backup.said.split(": ").at(-1) ?? backup.said}`);
  const checks = [
    check("the backup is whole", "exit code 0", `exit code ${backup.code}`),
    check("the secrets are apart, for their owner alone", "600", ((await stat(keys)).mode & 0o777).toString(8)),
    check("the backup holds nothing to open it with", "0 files", `${await holding(out, SECRET)} files`),
    check("a backup is never written over", "refused", refusal(await command("backup.ts", ["--out", out], before))),
  ];

  const since = performance.now();
  await app.kill();
  await before[Symbol.asyncDispose]();
  say("destroyed: every process, database, stream and workflow");

  const restored = await command("restore.ts", ["--from", out], after);
  say(restored.said);
  const again = await command("restore.ts", ["--from", out], after);
  const next = await after.start().ready();
  const awayMs = performance.now() - since;
  say(`ready again ${(awayMs / 1_000).toFixed(1)} s after the destruction`);
  checks.push(
    check("the restore is whole", "exit code 0", `exit code ${restored.code}`),
    check("a database that is not empty is left alone", "refused", refusal(again)),
    ...(await counted(next, known, late)),
  );
  return { checks, awayMs };
}

/** What became of the orders, and whether the books balance. */
async function counted(app: AppProcess, known: readonly string[], late: readonly string[]): Promise<readonly Check[]> {
  const statusOf = async (id: string): Promise<string> => {
    const { status, body } = await app.get(`/orders/${id}`);
    return status === 404 ? "absent" : (body as { status: string }).status;
  };
  const all = [...known, ...late];
  let statuses: readonly string[] = [];
  await eventually("every order that is there has come to its end", ENDS_WITHIN_MS, async () => {
    statuses = await Promise.all(all.map(statusOf));
    return statuses.every((status) => status === "delivered" || status === "absent") || undefined;
  }).catch(() => undefined); // the checks say what is missing
  const delivered = (ids: readonly string[]): number =>
    ids.filter((id) => statuses[all.indexOf(id)] === "delivered").length;
  const there = delivered(all);
  const repeat = await app.post("/orders", orderOf(0), { "idempotency-key": keyOf(0) });
  return [
    check("every order of before the backup is delivered", `${known.length}`, `${delivered(known)}`),
    check(
      "every order of meanwhile is there whole, or not at all",
      `${late.length}`,
      `${late.filter((id) => ["delivered", "absent"].includes(statuses[all.indexOf(id)] ?? "")).length}`,
    ),
    check(
      "each order took one piece, and no repeat a second",
      `${PIECES - there}`,
      `${(await level(app, SKU)).onHand}`,
    ),
    check("the invariants of the shop hold", "all", await invariants(app)),
    check("a repeat of a request of before finds its order", known[0] ?? "", String((repeat.body as Placed).orderId)),
  ];
}

interface Placed {
  readonly orderId: string;
}

const keyOf = (n: number): string => `drill-${n}`;
const orderOf = (n: number) => ({ customerId: `cus_${n % 5}`, lines: [{ sku: SKU, quantity: 1 }] });

async function placed(app: AppProcess, from: number, count: number): Promise<readonly string[]> {
  const ids: string[] = [];
  for (let n = from; n < from + count; n++) {
    const { status, body } = await app.post("/orders", orderOf(n), { "idempotency-key": keyOf(n) });
    if (status !== 201) throw new Error(`Cannot place an order: ${status} ${JSON.stringify(body)}`);
    ids.push((body as Placed).orderId);
  }
  return ids;
}

async function invariants(app: AppProcess): Promise<string> {
  let broken: readonly string[] = ["not known yet"];
  await eventually("every invariant holds", ENDS_WITHIN_MS, async () => {
    const { status, body } = await app.get("/invariants");
    const { items = [] } = body as { items?: readonly { readonly name: string; readonly holds: boolean }[] };
    if (status !== 200 || items.length === 0) return undefined;
    broken = items.filter(({ holds }) => !holds).map(({ name }) => name);
    return broken.length === 0 || undefined;
  }).catch(() => undefined);
  return broken.length === 0 ? "all" : `not ${broken.join(", ")}`;
}

/** How many files of a folder hold a text. */
async function holding(folder: string, text: string): Promise<number> {
  const files = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))));
  return files.filter((file) => file.includes(text)).length;
}

interface Ran {
  readonly code: number;
  readonly said: string;
}

async function command(script: string, args: readonly string[], harness: Harness): Promise<Ran> {
  const child = Bun.spawn([process.execPath, join(SCRIPTS, script), ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...harness.environment() },
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  return { code: await child.exited, said: said.trim() };
}

function refusal({ code }: Ran): string {
  return code === 0 ? "done" : "refused";
}

function check(name: string, expected: string, actual: string): Check {
  return { name, holds: expected === actual, expected, actual };
}
