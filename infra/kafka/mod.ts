/** The door `troupe/kafka`: events to topics, keyed by actor. */
export { KafkaUnavailableError } from "./errors.ts";
export { kafkaSink } from "./sink.ts";
export type { KafkaSinkOptions } from "./sink.ts";
