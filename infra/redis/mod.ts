/** The door `troupe/redis`: events to streams, a stream per noun. */
export { RedisUnavailableError } from "./errors.ts";
export { redisSink } from "./sink.ts";
export type { RedisSinkOptions } from "./sink.ts";
