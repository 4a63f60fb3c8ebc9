/** The door `troupe/kafka`: events to topics, keyed by actor, and back through consumer groups. */
export { KafkaUnavailableError } from "./errors.ts";
export type { KafkaSasl, KafkaSecurity } from "./security.ts";
export { kafkaSink } from "./sink.ts";
export type { KafkaSinkOptions } from "./sink.ts";
export { kafkaSource } from "./source.ts";
export type { KafkaSourceOptions } from "./source.ts";
