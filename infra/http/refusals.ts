/** What one refusal of an actor means over HTTP. */
export interface RefusalAnswer {
  readonly status: number;
  /** For the public: what cannot be done, and why. */
  readonly detail: string;
}

/** What the refusals of an actor mean over HTTP, by its reasons. One that is not listed conflicts with its state: 409. */
export type Refusals = Readonly<Record<string, RefusalAnswer>>;

/** What a route is about, and what the refusals of the actor that it speaks to mean. */
export interface RefusedBy {
  /** The actor, as in `order`: the first half of a refusal's code. */
  readonly noun: string;
  /** @default {} */
  readonly refusals?: Refusals;
}

/** Status, stable code and public text of a refusal, as in `order.already_shipped`. */
export function refusalAnswer(
  reason: string,
  { noun, refusals }: RefusedBy = { noun: "actor" },
): RefusalAnswer & { readonly code: string } {
  const known = refusals !== undefined && Object.hasOwn(refusals, reason) ? refusals[reason] : undefined;
  return {
    status: known?.status ?? 409,
    code: `${noun}.${reason}`,
    detail: known?.detail ?? `Refused: ${reason.replaceAll("_", " ")}`,
  };
}
