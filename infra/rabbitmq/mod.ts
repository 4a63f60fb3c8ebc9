/** The door `troupe/rabbitmq`: events to a topic exchange, with confirms. */
export { RabbitMqUnavailableError } from "./errors.ts";
export { rabbitMqSink } from "./sink.ts";
export type { RabbitMqSinkOptions } from "./sink.ts";
