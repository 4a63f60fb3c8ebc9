import { expect, test } from "bun:test";
import { outboxOf } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { Auditor, SHOP_AUDIT } from "./auditor.ts";

const look = (minute: number, holds: boolean) => ({
  at: `2026-11-29T10:0${minute}:00.000Z`,
  items: [{ name: "stock_pieces", holds, expected: 1, actual: holds ? 1 : 2, culprits: [] }],
});

test("Auditor tells when an invariant breaks and when it holds again, once each, whoever looks and how often", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Auditor], stores: { default: store } });
  const auditor = troupe.ref(Auditor, SHOP_AUDIT);
  for (const findings of [look(0, true), look(1, false), look(2, false), look(1, true), look(3, false)])
    await auditor.record(findings);
  expect(await auditor.get()).toMatchObject({ violatedSince: { stock_pieces: "2026-11-29T10:01:00.000Z" } });
  await auditor.record(look(4, true));
  expect((await outboxOf(store)).map(({ name, data }) => [name, (data as { at: string }).at.slice(14, 16)])).toEqual([
    ["auditor.violated.v1", "01"],
    ["auditor.restored.v1", "04"],
  ]);
});
