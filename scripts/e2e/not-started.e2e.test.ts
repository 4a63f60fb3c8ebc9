/** An app whose servers are all away: it listens, and cannot start. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { newSecret } from "#actors/access/keyring/secret.ts";
import { type Operation, operationsOf } from "../fuzz/inputs.ts";
import { AppProcess } from "./app-process.ts";

setDefaultTimeout(180_000);

const ADMIN = "admin-key-of-these-tests-0123456789";
const AT_ONCE = 8;
/** Where nothing listens. */
const NOWHERE = "127.0.0.1:1";

/** Asks every operation, and says of each answer that is no good one what was wrong. */
async function faultsOf(app: AppProcess, operations: readonly Operation[], key: string): Promise<string[]> {
  const left = [...operations];
  const faults: string[] = [];
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next !== undefined; next = left.pop()) {
      const path = next.path.replace(/\{[^}]+\}/g, "x");
      const { status, headers } = await app.send(next.method, path, undefined, { authorization: `Bearer ${key}` });
      const patient = status === 503 && headers.get("retry-after") !== null;
      if (status >= 500 && !patient && path !== "/ready") faults.push(`${next.method} ${path}: ${status}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return faults;
}

test("an app that cannot start as its servers are away answers every route, also one with a key that it cannot look up, and lives", async () => {
  await using app = new AppProcess({
    DATABASE_URL: `postgres://troupe:troupe@${NOWHERE}/troupe`,
    NATS_URL: `nats://${NOWHERE}`,
    TEMPORAL_ADDRESS: NOWHERE,
    TROUPE_CLUSTER: "notstarted",
    TROUPE_DATA: "/nonexistent/not-started",
    TROUPE_SEED: "off",
    TROUPE_ROLES: "ingress,actors,workflows",
    TROUPE_AUTH: "on",
    TROUPE_ADMIN_KEY: ADMIN,
  });
  await app.listening();
  const operations = operationsOf((await app.get("/openapi/json")).body).filter(({ streams }) => !streams);
  expect(operations.length).toBeGreaterThan(100);
  expect(await faultsOf(app, operations, newSecret())).toEqual([]);
  expect(await faultsOf(app, operations, ADMIN)).toEqual([]);
  expect([(await app.get("/health")).status, (await app.get("/ready")).status]).toEqual([200, 503]);
  expect(await app.stop()).toBe(0);
});
