/** The brokers that events can go to and come from, by their names in settings, routes and outages. */
export const BROKERS = ["nats", "kafka", "rabbitmq", "redis"] as const;
export type Broker = (typeof BROKERS)[number];
