import { ACCESS_REFUSALS } from "#actors/access/http/refusals.ts";
import { GATEWAY_REFUSALS } from "#actors/gateway/http/refusals.ts";
import { ORCHESTRATOR_REFUSALS } from "#actors/orchestrator/http/refusals.ts";
import { SHOP_REFUSALS } from "#actors/shop/http/refusals.ts";
import type { Refusals, RefusedBy } from "#infra/http/refusals.ts";

const ALL: Readonly<Record<string, Refusals>> = {
  ...SHOP_REFUSALS,
  ...GATEWAY_REFUSALS,
  ...ORCHESTRATOR_REFUSALS,
  ...ACCESS_REFUSALS,
};

/** All tables, by actor type: for the page of error codes. */
export function refusalTables(): Readonly<Record<string, Refusals>> {
  return ALL;
}

/** What refusals of any actor mean, for routes that speak to whichever actor the address names. */
export function refusedBy(type: string): RefusedBy {
  const refusals = Object.hasOwn(ALL, type) ? ALL[type] : undefined;
  return refusals === undefined ? { noun: type } : { noun: type, refusals };
}
