/** What becomes of a simulated order. */
export type Fate = "plain" | "declined" | "cancelled" | "partial" | "lost";

/** Shares of all orders; together at most 1. */
export interface Shares {
  readonly declineShare: number;
  readonly cancelShare: number;
  readonly partialShare: number;
  readonly lostShare: number;
}

/**
 * The fate of the order with this number: the same for the same number, spread evenly, and in any run of orders as near to
 * the shares as it can be (a golden-ratio sequence).
 */
export function fateOf(number: number, { declineShare, cancelShare, partialShare, lostShare }: Shares): Fate {
  const at = (number * 0.618_033_988_749_895) % 1;
  if (at < declineShare) return "declined";
  if (at < declineShare + cancelShare) return "cancelled";
  if (at < declineShare + cancelShare + partialShare) return "partial";
  if (at < declineShare + cancelShare + partialShare + lostShare) return "lost";
  return "plain";
}
