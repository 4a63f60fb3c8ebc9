/** The door `troupe/rabbitmq`: events to a topic exchange, with confirms, and back through queues. */
export { RabbitMqUnavailableError } from "./errors.ts";
export { rabbitMqSink } from "./sink.ts";
export type { RabbitMqSinkOptions } from "./sink.ts";
export { rabbitMqSource } from "./source.ts";
export type { RabbitMqSourceOptions } from "./source.ts";
export type { EventQueue } from "./queue.ts";
