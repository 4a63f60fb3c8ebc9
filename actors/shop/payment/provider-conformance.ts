import { expect, test } from "bun:test";
import { newId } from "#runtime";
import type { PaymentProvider } from "./provider.ts";

/** A provider under test, in its test mode. */
export interface ProviderUnderTest extends AsyncDisposable {
  readonly provider: PaymentProvider;
  /** Tokens of the test mode: one that goes through, one that is declined. */
  readonly tokens: { readonly ok: string; readonly declined: string };
}

/** What every payment provider must do. Call it at the top level of the provider's test file. */
export function paymentProviderConformance(name: string, make: () => Promise<ProviderUnderTest>): void {
  const request = { amount: 1_000, currency: "EUR", attempt: 1 };
  const books = { currency: "EUR", authorized: 1_000, captured: 0, refunded: 0, voided: 0 };

  test(`${name} sets money aside once, however often it is asked`, async () => {
    await using t = await make();
    const key = newId("ord");
    const first = await t.provider.authorize({ ...request, key, token: t.tokens.ok });
    expect(first.kind).toBe("authorized");
    expect(await t.provider.authorize({ ...request, key, token: t.tokens.ok, attempt: 2 })).toEqual(first);
    expect(await t.provider.find(key)).toMatchObject(books);
  });

  test(`${name} says no with a reason, and then knows no payment`, async () => {
    await using t = await make();
    const key = newId("ord");
    expect(await t.provider.authorize({ ...request, key, token: t.tokens.declined })).toEqual({
      kind: "declined",
      declineReason: expect.any(String),
    });
    expect(await t.provider.find(key)).toBeNull();
  });

  test(`${name} takes in parts, each once, and never more than it set aside`, async () => {
    await using t = await make();
    const key = newId("ord");
    await t.provider.authorize({ ...request, key, token: t.tokens.ok });
    for (let times = 0; times < 2; times++)
      expect(await t.provider.capture({ key, id: "first", amount: 600 })).toEqual({ kind: "done" });
    expect(await t.provider.capture({ key, id: "second", amount: 401 })).toMatchObject({ kind: "refused" });
    expect(await t.provider.capture({ key, id: "third", amount: 400 })).toEqual({ kind: "done" });
    expect(await t.provider.find(key)).toMatchObject({ ...books, captured: 1_000 });
  });

  test(`${name} gives back in parts, each once, and never more than it took`, async () => {
    await using t = await make();
    const key = newId("ord");
    await t.provider.authorize({ ...request, key, token: t.tokens.ok });
    await t.provider.capture({ key, id: "all", amount: 1_000 });
    for (let times = 0; times < 2; times++)
      expect(await t.provider.refund({ key, id: "first", amount: 300 })).toEqual({ kind: "done" });
    expect(await t.provider.refund({ key, id: "second", amount: 701 })).toMatchObject({ kind: "refused" });
    expect(await t.provider.refund({ key, id: "third", amount: 700 })).toEqual({ kind: "done" });
    expect(await t.provider.find(key)).toMatchObject({ ...books, captured: 1_000, refunded: 1_000 });
  });

  test(`${name} lets go of what it did not take, and takes nothing of it afterwards`, async () => {
    await using t = await make();
    const key = newId("ord");
    await t.provider.authorize({ ...request, key, token: t.tokens.ok });
    await t.provider.capture({ key, id: "part", amount: 250 });
    for (let times = 0; times < 2; times++) await t.provider.void(key);
    expect(await t.provider.capture({ key, id: "late", amount: 1 })).toMatchObject({ kind: "refused" });
    expect(await t.provider.find(key)).toMatchObject({ ...books, captured: 250, voided: 750 });
  });

  test(`${name} answers for a payment it does not know: nothing to let go, a part is refused`, async () => {
    await using t = await make();
    const key = newId("ord");
    await t.provider.void(key);
    expect(await t.provider.find(key)).toBeNull();
    expect(await t.provider.capture({ key, id: "part", amount: 1 })).toMatchObject({ kind: "refused" });
    expect(await t.provider.refund({ key, id: "part", amount: 1 })).toMatchObject({ kind: "refused" });
  });
}
