/**
 * What holds a target back that is missed, as a profile showed it. Kept by hand: `bun run bench --report` prints it beside the
 * missed target, and says where there is none. The key is that of the target, `bench: case`.
 */
export const BOUNDS: Readonly<Record<string, string>> = {
  "relay: kafka, backlog of 60,000":
    "the processor of the app: an event takes 16 µs of it in the sink, of which the client library's encoding (a small buffer for each field, put together again) is two thirds",
  "relay: rabbitmq, backlog of 60,000":
    "the processor of RabbitMQ: an event takes 70 µs of it in a quorum queue, and 18 µs of the app; both share two processors with PostgreSQL",
};
