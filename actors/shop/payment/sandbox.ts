import { pause } from "#infra/pause.ts";
import type { AuthorizationRequest, PaymentProvider } from "./provider.ts";

/** What the sandbox does with a token. A pure function of the token and the attempt, so that tests need no memory. */
export type SandboxAnswer =
  | { readonly kind: "authorized"; readonly delayMs: number }
  | { readonly kind: "declined"; readonly declineReason: string }
  | { readonly kind: "unreachable" };

/**
 * The sandbox's rule: `tok_declined` is declined, `tok_flaky` cannot be reached twice and then says yes, `tok_slow`
 * says yes after 5 s, every other token says yes at once.
 */
export function sandboxAnswer(token: string, attempt: number): SandboxAnswer {
  if (token === "tok_declined") return { kind: "declined", declineReason: "card_declined" };
  if (token === "tok_flaky" && attempt <= 2) return { kind: "unreachable" };
  return { kind: "authorized", delayMs: token === "tok_slow" ? 5_000 : 0 };
}

/** A provider that moves no money and follows {@link sandboxAnswer}. */
export const sandboxProvider: PaymentProvider = {
  async authorize({ token, attempt, idempotencyKey, signal }: AuthorizationRequest) {
    const answer = sandboxAnswer(token, attempt);
    switch (answer.kind) {
      case "unreachable":
        throw new Error(`Cannot reach the payment sandbox: attempt ${attempt} of ${token} fails by its rule`);
      case "declined":
        return answer;
      case "authorized":
        if (answer.delayMs > 0) await pause(answer.delayMs, signal);
        signal?.throwIfAborted();
        return { kind: "authorized", authorizationId: `auth_${idempotencyKey}` };
    }
  },
  capture: () => Promise.resolve(),
  giveBack: () => Promise.resolve(),
};
