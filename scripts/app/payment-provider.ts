import type { PaymentProvider } from "#actors/shop/payment/provider.ts";
import { sandboxProvider } from "#actors/shop/sandbox-payment/sandbox-payment.ts";
import type { Log, Troupe } from "#runtime";

/** The payment providers there are. A real one is a row here and in {@link openPaymentProvider}. */
export const PAYMENT_PROVIDERS = ["sandbox"] as const;
export type PaymentProviderName = (typeof PAYMENT_PROVIDERS)[number];

/** Opens the chosen provider, and says so where it moves no money. */
export function openPaymentProvider(name: PaymentProviderName, troupe: Pick<Troupe, "ref">, log: Log): PaymentProvider {
  switch (name) {
    case "sandbox":
      log("warn", "payment:sandbox", {
        message: "Payments are made in the sandbox: no money moves. PAYMENT_PROVIDER chooses another provider",
      });
      return sandboxProvider(troupe);
  }
}
