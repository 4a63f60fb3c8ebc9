/** One request to set money aside. `idempotencyKey` makes a repeat return the first answer. */
export interface AuthorizationRequest {
  readonly token: string;
  readonly amount: number;
  readonly currency: string;
  readonly idempotencyKey: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
  readonly signal?: AbortSignal;
}

/** A provider's answer. A provider that cannot answer throws, and is asked again. */
export type AuthorizationOutcome =
  | { readonly kind: "authorized"; readonly authorizationId: string }
  | { readonly kind: "declined"; readonly declineReason: string };

/** A payment provider. Every call may be repeated, and knows by its key what was done before. */
export interface PaymentProvider {
  /** Sets money aside. */
  authorize(request: AuthorizationRequest): Promise<AuthorizationOutcome>;
  /** Takes the money that is set aside under the key. */
  capture(idempotencyKey: string): Promise<void>;
  /** Gives back what was set aside or taken under the key; nothing when there was nothing. */
  giveBack(idempotencyKey: string): Promise<void>;
}
