import type { Duration } from "#runtime";
import type { Address, CourierUpdate, DeliveryStatus } from "./messages.ts";

/** How the sandbox courier works. */
export interface CourierOptions {
  /** How long a parcel stays at each step. Default `"1s"`. */
  readonly step?: Duration;
  /** `external`: nothing moves by itself; a courier of flesh sends its updates by the API. Default `"sandbox"`. */
  readonly courier?: "sandbox" | "external";
}

/**
 * What the sandbox courier does next with a parcel, by its address: one that names "Lost Lane" is lost on the way, at one
 * that names "Nobody Home" the courier rings in vain and brings the parcel back; every other one arrives.
 */
export function nextStep(status: DeliveryStatus, address: Address | null): CourierUpdate["status"] | undefined {
  switch (status) {
    case "scheduled":
      return "dispatched";
    case "dispatched":
      return "in_transit";
    case "in_transit":
      if (names(address, "lost lane")) return "lost";
      return names(address, "nobody home") ? "attempt_failed" : "delivered";
    case "returning":
      return "returned";
    default:
      return undefined;
  }
}

function names(address: Address | null, words: string): boolean {
  if (address === null) return false;
  const text = typeof address === "string" ? address : Object.values(address).join(" ");
  return text.toLowerCase().includes(words);
}
