/** The door `troupe/rabbitmq`: events to a topic exchange, with confirms, and back through queues. */
export { RabbitMqBlockedError, RabbitMqUnavailableError } from "./errors.ts";
export { rabbitMqSink } from "./sink.ts";
export type { RabbitMqSink, RabbitMqSinkOptions } from "./sink.ts";
export { rabbitMqSource } from "./source.ts";
export type { RabbitMqSourceOptions } from "./source.ts";
export type { EventQueue } from "./declare.ts";
