/** The door `troupe/redis`: events to streams, a stream per noun, and back through consumer groups. */
export { RedisUnavailableError } from "./errors.ts";
export { redisSink } from "./sink.ts";
export type { RedisSinkOptions } from "./sink.ts";
export { redisSource } from "./source.ts";
export type { RedisSourceOptions } from "./source.ts";
