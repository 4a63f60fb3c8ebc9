/** The door `troupe/nats`: events to JetStream, and back through durable consumers; broadcasts through it, and calls between nodes. */
export { connectNats, NatsUnavailableError } from "./connection.ts";
export type { NatsLink, NatsLinkOptions } from "./connection.ts";
export { natsSink } from "./sink.ts";
export type { NatsSinkOptions } from "./sink.ts";
export { natsSource } from "./source.ts";
export type { NatsSourceOptions } from "./source.ts";
export { natsTopics } from "./topics.ts";
export type { NatsTopicsOptions } from "./topics.ts";
export { natsTransport } from "./transport.ts";
export type { NatsTransportOptions } from "./transport.ts";
