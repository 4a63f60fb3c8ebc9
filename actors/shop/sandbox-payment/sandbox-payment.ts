/**
 * The sandbox: a payment provider that moves no money and keeps its books in an actor, `sandbox-payment`, so that they
 * outlive the process and are the same on every node.
 *
 * | token | what it does |
 * |---|---|
 * | `tok_declined` | is declined |
 * | `tok_flaky` | cannot be reached twice, then goes through |
 * | `tok_slow` | goes through after 5 s; the money is set aside at their end |
 * | `tok_capture_refused` | goes through, but the money cannot be taken |
 * | `tok_refund_refused` | goes through; the first refund is refused, each later one goes through |
 * | any other | goes through at once |
 */
import * as v from "valibot";
import { actor, type Troupe } from "#runtime";
import type { AuthorizationRequest, PartOutcome, PaymentPart, PaymentProvider } from "../payment/provider.ts";

/** What the sandbox does with a token at an attempt. A pure function of both. */
export type SandboxAnswer =
  | { readonly kind: "authorized"; readonly delayMs: number }
  | { readonly kind: "declined"; readonly declineReason: string }
  | { readonly kind: "unreachable" };

/** The rule of the table above for setting money aside. */
export function sandboxAnswer(token: string, attempt: number): SandboxAnswer {
  if (token === "tok_declined") return { kind: "declined", declineReason: "card_declined" };
  if (token === "tok_flaky" && attempt <= 2) return { kind: "unreachable" };
  return { kind: "authorized", delayMs: token === "tok_slow" ? 5_000 : 0 };
}

const Part = v.object({ id: v.string(), amount: v.number() });
const Outcome = v.variant("kind", [
  v.object({ kind: v.literal("done") }),
  v.object({ kind: v.literal("refused"), reason: v.string() }),
]);
const Account = v.object({
  token: v.string(),
  currency: v.string(),
  authorized: v.number(),
  voided: v.number(),
  captures: v.array(Part),
  refunds: v.array(Part),
  refusedRefunds: v.number(),
});
const Books = v.object({
  currency: v.string(),
  authorized: v.number(),
  captured: v.number(),
  refunded: v.number(),
  voided: v.number(),
});

const sum = (parts: readonly { readonly amount: number }[]): number =>
  parts.reduce((all, { amount }) => all + amount, 0);
const DONE = { kind: "done" } as const;
const refused = (reason: string): PartOutcome => ({ kind: "refused", reason });

/** The sandbox's account of one payment, keyed by the payment's key. */
export const SandboxPayment = actor("sandbox-payment", {
  state: v.object({ account: v.nullable(Account) }),
  initial: (): { account: v.InferOutput<typeof Account> | null } => ({ account: null }),
  messages: ({ command, query }) => ({
    /** Sets the money aside; a repeat changes nothing. */
    authorize: command(
      { in: v.object({ token: v.string(), amount: v.number(), currency: v.string() }) },
      (c, input) => {
        c.state.account ??= {
          token: input.token,
          currency: input.currency,
          authorized: input.amount,
          voided: 0,
          captures: [],
          refunds: [],
          refusedRefunds: 0,
        };
      },
    ),

    capture: command({ in: Part, out: Outcome }, (c, part) => {
      const { account } = c.state;
      if (account === null) return refused("unknown_payment");
      if (account.captures.some(({ id }) => id === part.id)) return DONE;
      if (account.token === "tok_capture_refused") return refused("capture_refused");
      if (part.amount > account.authorized - account.voided - sum(account.captures)) return refused("over_captured");
      account.captures.push(part);
      return DONE;
    }),

    refund: command({ in: Part, out: Outcome }, (c, part) => {
      const { account } = c.state;
      if (account === null) return refused("unknown_payment");
      if (account.refunds.some(({ id }) => id === part.id)) return DONE;
      if (part.amount > sum(account.captures) - sum(account.refunds)) return refused("over_refunded");
      if (account.token === "tok_refund_refused" && account.refusedRefunds++ === 0) return refused("refund_refused");
      account.refunds.push(part);
      return DONE;
    }),

    void: command({}, (c) => {
      const { account } = c.state;
      if (account !== null) account.voided = account.authorized - sum(account.captures);
    }),

    books: query({ out: v.nullable(Books) }, ({ state: { account } }) =>
      account === null
        ? null
        : {
            currency: account.currency,
            authorized: account.authorized,
            captured: sum(account.captures),
            refunded: sum(account.refunds),
            voided: account.voided,
          },
    ),
  }),
});

const authorizationOf = (key: string): string => `auth_${key}`;

/** The sandbox as a provider, with its books in the actors of `troupe`. */
export function sandboxProvider(troupe: Pick<Troupe, "ref">): PaymentProvider {
  const account = (key: string) => troupe.ref(SandboxPayment, key);
  return {
    name: "sandbox",
    async authorize({ key, token, amount, currency, attempt, signal }: AuthorizationRequest) {
      const answer = sandboxAnswer(token, attempt);
      if (answer.kind === "unreachable")
        throw new Error(`Cannot reach the payment sandbox: attempt ${attempt} of ${token} fails by its rule`);
      if (answer.kind === "declined") return answer;
      if (answer.delayMs > 0) await delay(answer.delayMs, signal);
      await account(key).authorize({ token, amount, currency });
      return { kind: "authorized", authorizationId: authorizationOf(key) };
    },
    capture: ({ key, id, amount }: PaymentPart) => account(key).capture({ id, amount }),
    refund: ({ key, id, amount }: PaymentPart) => account(key).refund({ id, amount }),
    void: (key) => account(key).void(),
    async find(key) {
      const books = await account(key).books();
      return books === null ? null : { authorizationId: authorizationOf(key), ...books };
    },
  };
}

function delay(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        reject(signal.reason instanceof Error ? signal.reason : new Error("Authorization was aborted"));
      },
      { once: true },
    );
  });
}
