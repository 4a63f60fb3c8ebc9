import type { Destination } from "#actors/gateway/route/messages.ts";
import { durationMs } from "#runtime";
import type { Settings } from "./settings.ts";

/** The settings that say where events go, and how often it is tried. All of them may change while the process runs. */
export type RoutingSettings = Pick<Settings, "WEBHOOK_RETRIES"> &
  Partial<
    Pick<
      Settings,
      "ROUTING_DEFAULT_TOPIC" | "ROUTING_DEFAULT_EXCHANGE" | "ROUTING_DEFAULT_ROUTING_KEY" | "ROUTING_MAX_RETRIES"
    >
  >;

/** Where an event goes that no route matches: to the topic, the exchange, both or nowhere. */
export function unroutedOf(settings: RoutingSettings): readonly Destination[] {
  const {
    ROUTING_DEFAULT_TOPIC: topic,
    ROUTING_DEFAULT_EXCHANGE: exchange,
    ROUTING_DEFAULT_ROUTING_KEY: key,
  } = settings;
  return [
    ...(topic === undefined ? [] : [{ sink: "kafka" as const, topic }]),
    ...(exchange === undefined
      ? []
      : [{ sink: "rabbitmq" as const, exchange, ...(key === undefined ? {} : { routingKey: key }) }]),
  ];
}

/** The pauses between the tries to deliver to an endpoint, in milliseconds: as many as there may be, the last one again where there are too few. */
export function retriesOf({ WEBHOOK_RETRIES, ROUTING_MAX_RETRIES: most }: RoutingSettings): readonly number[] {
  const pauses = WEBHOOK_RETRIES.map((pause) => durationMs(pause));
  if (most === undefined) return pauses;
  const last = pauses.at(-1);
  return Array.from({ length: last === undefined ? 0 : most }, (_, i) => pauses[i] ?? (last as number));
}
