import type { Settings } from "./settings.ts";

/** The services that own a database each, by the name of their variable and database. */
export const SERVICES = [
  "order",
  "customer",
  "stock",
  "payment",
  "delivery",
  "invoice",
  "notification",
  "orchestrator",
  "gateway",
] as const;
export type ServiceName = (typeof SERVICES)[number];

/** The database of each service; `undefined` for one that has none. */
export function databasesOf(settings: Settings): Readonly<Record<ServiceName, string | undefined>> {
  const named = (service: ServiceName): string | undefined => {
    const own = settings[`${service.toUpperCase() as Uppercase<ServiceName>}_DATABASE_URL`];
    if (own !== undefined || settings.DATABASE_URL === undefined) return own;
    const shared = new URL(settings.DATABASE_URL);
    shared.pathname = `/troupe_${settings.TROUPE_CLUSTER === "default" ? "" : `${settings.TROUPE_CLUSTER}_`}${service}`;
    return shared.href;
  };
  return Object.fromEntries(SERVICES.map((service) => [service, named(service)])) as Record<
    ServiceName,
    string | undefined
  >;
}
