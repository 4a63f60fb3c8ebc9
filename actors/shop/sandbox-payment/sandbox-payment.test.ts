import { expect, test } from "bun:test";
import { createTroupe, memory } from "#runtime";
import { paymentProviderConformance } from "../payment/provider-conformance.ts";
import { sandboxAnswer, SandboxPayment, sandboxProvider } from "./sandbox-payment.ts";

async function sandbox() {
  const troupe = await createTroupe({ actors: [SandboxPayment], stores: { default: memory() } });
  return {
    provider: sandboxProvider(troupe),
    tokens: { ok: "tok_ok", declined: "tok_declined" },
    [Symbol.asyncDispose]: () => troupe.stop(),
  };
}

paymentProviderConformance("the sandbox", sandbox);

test("sandboxAnswer() depends on token and attempt alone", () => {
  expect([1, 2, 3].map((attempt) => sandboxAnswer("tok_flaky", attempt).kind)).toEqual([
    "unreachable",
    "unreachable",
    "authorized",
  ]);
  expect(sandboxAnswer("tok_declined", 1)).toEqual({ kind: "declined", declineReason: "card_declined" });
  expect(sandboxAnswer("tok_slow", 1)).toEqual({ kind: "authorized", delayMs: 5_000 });
  expect(sandboxAnswer("tok_ok", 1)).toEqual({ kind: "authorized", delayMs: 0 });
});

test("the sandbox refuses by token: the capture of tok_capture_refused, the first refund of tok_refund_refused", async () => {
  await using s = await sandbox();
  const request = { amount: 500, currency: "EUR", attempt: 1 };
  await s.provider.authorize({ ...request, key: "a", token: "tok_capture_refused" });
  expect(await s.provider.capture({ key: "a", id: "all", amount: 500 })).toMatchObject({ kind: "refused" });
  await s.provider.authorize({ ...request, key: "b", token: "tok_refund_refused" });
  await s.provider.capture({ key: "b", id: "all", amount: 500 });
  const refund = { key: "b", id: "all", amount: 500 };
  expect([await s.provider.refund(refund), await s.provider.refund(refund)]).toMatchObject([
    { kind: "refused", reason: "refund_refused" },
    { kind: "done" },
  ]);
});
