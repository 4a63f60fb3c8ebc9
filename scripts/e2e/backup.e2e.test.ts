import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "#infra/testing/eventually.ts";
import { type Harness, openHarness } from "./harness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(480_000);

const SCRIPTS = join(import.meta.dir, "..");
const ORDERS = 12;
let before: Harness;
let after: Harness;
let folder: string;
const SECRET = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA=";

beforeAll(async () => {
  const environment = { TROUPE_SECRET_KEY: SECRET };
  // Another cluster: other databases, streams, topics, and another Temporal namespace. Of the first nothing is left there.
  [before, after] = await Promise.all([openHarness({ environment }), openHarness({ environment })]);
  folder = mkdtempSync(join(tmpdir(), "troupe-backup-"));
}, 180_000);
afterAll(async () => {
  await Promise.allSettled([before?.[Symbol.asyncDispose](), after?.[Symbol.asyncDispose]()]);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function command(
  script: string,
  args: readonly string[],
  harness: Harness,
): Promise<{ code: number; said: string }> {
  const child = Bun.spawn([process.execPath, join(SCRIPTS, script), ...args], {
    env: { PATH: process.env["PATH"] ?? "", HOME: process.env["HOME"] ?? "", ...harness.environment() },
    stdout: "pipe",
    stderr: "pipe",
  });
  const said = (await new Response(child.stdout).text()) + (await new Response(child.stderr).text());
  return { code: await child.exited, said };
}

test("a backup under load, restored where nothing is left, brings every order to its end and the books to balance", async () => {
  const app = before.start();
  await app.ready();
  await app.send("PUT", "/products/TEA-1", JSON.stringify({ name: "Tea", price: 300, currency: "EUR" }), {
    "content-type": "application/json",
  });
  await app.post("/stock/TEA-1/refill", { quantity: 1_000 }, { "idempotency-key": "refill" });
  const placed: string[] = [];
  const place = async (i: number): Promise<void> => {
    const { status, body } = await app.post(
      "/orders",
      { customerId: `cus_${i % 5}`, lines: [{ sku: "TEA-1", quantity: 1 }] },
      { "idempotency-key": `order-${i}` },
    );
    expect(status).toBe(201);
    placed.push((body as { orderId: string }).orderId);
  };
  for (let i = 0; i < ORDERS; i++) await place(i);
  const known = [...placed];
  // Goes on while the backup is taken: some of these are in it, whole, and the others are not.
  const more = (async () => {
    for (let i = ORDERS; i < 2 * ORDERS; i++) await place(i);
  })();
  const out = join(folder, "one");
  const { code, said } = await command("backup.ts", ["--out", out, "--secrets", join(folder, "keys")], before);
  expect([code, said]).toEqual([0, expect.stringContaining("9 databases")]);
  await more;
  expect(statSync(join(folder, "keys")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(folder, "keys"), "utf8")).toContain(SECRET);
  for (const file of readdirSync(out)) expect(readFileSync(join(out, file)).includes(SECRET)).toBe(false);
  expect((await command("backup.ts", ["--out", out], before)).code).not.toBe(0); // never written over
  await app.kill();
  await before[Symbol.asyncDispose](); // databases, streams, workflows: everything

  const restored = await command("restore.ts", ["--from", out], after);
  expect([restored.code, restored.said]).toEqual([0, expect.stringMatching(/restored [1-9]\d* rows/)]);
  const twice = await command("restore.ts", ["--from", out], after);
  expect([twice.code, twice.said]).toEqual([2, expect.stringContaining("is not empty")]);

  const next = after.start();
  await next.ready();
  const statusOf = async (id: string): Promise<string> => {
    const { status, body } = await next.get(`/orders/${id}`);
    return status === 404 ? "absent" : (body as { status: string }).status;
  };
  let statuses: string[] = [];
  const delivered = eventually("every order of before the backup is delivered", 120_000, async () => {
    statuses = await Promise.all(known.map(statusOf));
    return statuses.every((status) => status === "delivered");
  });
  await delivered.catch((error: unknown) => {
    throw new Error(`${statuses.join(" ")}\n${next.log()}`, { cause: error });
  });
  const there = (await Promise.all(placed.map(statusOf))).filter((status) => status !== "absent");
  await eventually("whatever else is there comes to its end", 120_000, async () => {
    const statuses = await Promise.all(placed.map(statusOf));
    return statuses.every((status) => status === "delivered" || status === "absent");
  });
  // Counted: each order took one piece, and no repeat of a step took a second.
  // An order that was delivered while its saga began anew may hold a piece until the hold runs out; off the shelf went one.
  const { onHand } = (await next.get("/stock/TEA-1")).body as { onHand: number };
  expect(onHand).toBe(1_000 - there.length);
  await eventually("every invariant holds", 60_000, async () => {
    const { status, body } = await next.get("/invariants");
    const { items = [] } = body as { items?: readonly { readonly name: string; readonly holds: boolean }[] };
    return status === 200 && items.length > 0 && items.every(({ holds }) => holds);
  });
  // A repeat of a request of before finds its answer.
  const repeat = await next.post(
    "/orders",
    { customerId: "cus_0", lines: [{ sku: "TEA-1", quantity: 1 }] },
    { "idempotency-key": "order-0" },
  );
  expect((repeat.body as { orderId: string }).orderId).toBe(known[0] ?? "");
});
