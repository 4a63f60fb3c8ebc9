/**
 * The port of a payment provider. `sandbox-payment/` is one that moves no money; a real one gets a folder beside it, runs the suite
 * `provider-conformance.ts` against the provider's test mode, and is chosen in `scripts/app/payment-provider.ts`.
 *
 * Every call names the payment by a `key` of ours (the order's id) and may be repeated: the provider, or its adapter,
 * knows by the key, and by the id of each part, what was done before. A provider that cannot be reached, or whose answer
 * is lost, throws, and is asked again.
 */
export interface PaymentProvider {
  /** As settings and logs name it. */
  readonly name: string;
  /** Sets money aside. */
  authorize(request: AuthorizationRequest): Promise<AuthorizationOutcome>;
  /** Takes a part of what is set aside. */
  capture(part: PaymentPart): Promise<PartOutcome>;
  /** Gives back a part of what was taken. */
  refund(part: PaymentPart): Promise<PartOutcome>;
  /** Lets go of what is set aside and not taken; nothing where there is none. */
  void(key: string): Promise<void>;
  /** What the provider knows of a payment; `null` where it knows none. */
  find(key: string): Promise<ProviderPayment | null>;
}

/** One request to set money aside. */
export interface AuthorizationRequest {
  readonly key: string;
  readonly token: string;
  /** Minor units. */
  readonly amount: number;
  readonly currency: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  readonly signal?: AbortSignal;
}

/** A provider's answer to {@link PaymentProvider.authorize}. */
export type AuthorizationOutcome =
  | { readonly kind: "authorized"; readonly authorizationId: string }
  | { readonly kind: "declined"; readonly declineReason: string };

/** A part of the money. The same `id` of one `key` is the same part: it moves once. */
export interface PaymentPart {
  readonly key: string;
  readonly id: string;
  /** Minor units. */
  readonly amount: number;
}

/** Whether a part was moved. `refused` is final: asking again changes nothing until somebody does something about it. */
export type PartOutcome = { readonly kind: "done" } | { readonly kind: "refused"; readonly reason: string };

/** The books of the provider for one payment, in minor units. */
export interface ProviderPayment {
  readonly authorizationId: string;
  readonly currency: string;
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly voided: number;
}
