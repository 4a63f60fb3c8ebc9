import { expect, test } from "bun:test";
import { testServer } from "#infra/stack/for-tests.ts";
import { clockFinding, inspectClock } from "./clock.ts";

test("inspectClock() compares with the real PostgreSQL, and says of a clock that is ahead or behind what to do", async () => {
  const known = { postgres: { DATABASE_URL: await testServer("postgres") } };
  expect(await inspectClock(known)).toMatchObject([{ area: "clock", status: "ok" }]);
  const [ahead] = await inspectClock(known, () => Date.now() + 600_000);
  expect(ahead).toMatchObject({ status: "bad", fix: expect.stringContaining("timedatectl set-ntp true") });
  expect(ahead?.detail).toMatch(/^is (599|600)\d{3} ms \(± \d+\) ahead of PostgreSQL's: timers fire early/);
  const [behind] = await inspectClock(known, () => Date.now() - 600_000);
  expect(behind?.detail).toContain("behind PostgreSQL's: timers fire late");
});

test("inspectClock() says nothing where no PostgreSQL runs, and that it cannot tell where none answers", async () => {
  expect(await inspectClock({})).toEqual([]);
  const [finding] = await inspectClock({ postgres: { DATABASE_URL: "postgres://nobody@127.0.0.1:1/none" } });
  expect(finding).toMatchObject({ area: "clock", status: "off" });
});

test("clockFinding() goes by the quickest answer, and blames no clock for a slow network", () => {
  const slow = { askedAt: 0, theirs: 3_000, answeredAt: 3_000 };
  const quick = { askedAt: 5_000, theirs: 5_005, answeredAt: 5_010 };
  expect(clockFinding([slow, quick])).toMatchObject({
    status: "ok",
    detail: "differs from PostgreSQL's by 0 ms (± 5), may by 500",
  });
  expect(clockFinding([slow]).status).toBe("ok");
  expect(clockFinding([{ ...quick, theirs: 5_600 }]).status).toBe("bad");
  expect(clockFinding([]).status).toBe("off");
});
