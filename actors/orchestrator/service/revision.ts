import { createHash } from "node:crypto";
import type { ServiceSpec } from "./messages.ts";

/**
 * The revision of a spec: 12 hex digits of a hash that does not depend on the order of keys, nor on keys that a later
 * version has added and that are not used. `deployed` counts the times the same spec was asked for anew.
 */
export function revisionOf(spec: ServiceSpec, deployed = 0): string {
  const { volumes, networks, health, ...rest } = spec;
  const used = {
    ...rest,
    ...(volumes.length > 0 ? { volumes } : {}),
    ...(networks.length > 0 ? { networks } : {}),
    ...(health === null ? {} : { health }),
    ...(deployed > 0 ? { deployed } : {}),
  };
  return createHash("sha256")
    .update(JSON.stringify(sorted(used)))
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
