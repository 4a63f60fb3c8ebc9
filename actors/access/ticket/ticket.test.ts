import { expect, test } from "bun:test";
import { createTroupe, memory } from "#runtime";
import { Ticket } from "./ticket.ts";

const KEY = "a".repeat(64);

test("a ticket is redeemed once, also of twins, and leaves nothing", async () => {
  await using troupe = await createTroupe({ actors: [Ticket], stores: { default: memory() } });
  const ticket = troupe.ref(Ticket, KEY);
  expect(await ticket.redeem()).toBeNull();
  await ticket.issue({ keyId: "key_1", scopes: ["orders"] });
  const redeemed = await Promise.all([ticket.redeem(), ticket.redeem()]);
  expect(redeemed.filter((holder) => holder !== null)).toEqual([{ keyId: "key_1", scopes: ["orders"] }]);
  expect(await troupe.inspect("ticket", KEY)).toMatchObject({ exists: false, timers: [] });
});

test("a ticket is good for 30 s, and then it is gone by itself", async () => {
  let now = Date.now();
  const clock = {
    now: () => now,
    monotonic: () => performance.now(),
    after: (ms: number, run: () => void) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
  };
  await using troupe = await createTroupe({ actors: [Ticket], stores: { default: memory() }, clock });
  const ticket = troupe.ref(Ticket, KEY);
  const until = await ticket.issue({ keyId: "key_1", scopes: ["orders"] });
  expect(until).toBe(now + 30_000);
  expect((await troupe.inspect("ticket", KEY)).timers).toMatchObject([{ name: "end", send: "end" }]);
  now = until;
  expect(await ticket.redeem()).toBeNull();
});
