import { createHash } from "node:crypto";
import type { ServiceSpec } from "./messages.ts";

/** The revision of a spec: 12 hex digits of a hash that does not depend on the order of keys. */
export function revisionOf(spec: ServiceSpec): string {
  return createHash("sha256")
    .update(JSON.stringify(sorted(spec)))
    .digest("hex")
    .slice(0, 12);
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
