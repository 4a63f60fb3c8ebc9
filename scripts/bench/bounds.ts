/**
 * What holds a target back that is missed, as a profile showed it. Kept by hand: `bun run bench --report` prints it beside the
 * missed target, and says where there is none. The key is that of the target, `bench: case`.
 */
export const BOUNDS: Readonly<Record<string, string>> = {
  "ask: 64 in flight, each changes a state":
    "the processor of the app, on a flat profile: state and reply as JSON 14 %, the promise and the pending call 11 %, the turn and what it leaves 21 %, two looks at the clock 7 %",
  "ask: 256 in flight, each changes a state":
    "the processor of the app, on a flat profile: state and reply as JSON 14 %, the promise and the pending call 10 %, the turn and what it leaves 20 %, two looks at the clock 7 %",
  "tell: in bursts of 10,000, each changes a state":
    "the processor of the app, on a flat profile: its state as JSON 12 %, the turn and what it leaves 31 %, the way into the mailbox and out 22 %, room for its write 8 %, two looks at the clock 7 %",
  "turn: 256 callers, each with a message id":
    "both processors: the reply is a row and an index entry of its own, so a turn takes 16 µs of PostgreSQL and 14 µs of the app, where it takes 8 µs and 6 µs without an id",
  "route: 64 callers, 1,000 keys":
    "the wait for the commit: 64 callers are too few to fill the app (67 % of a processor) or PostgreSQL (57 %); with 256 it is 1.5 times as many",
  "route: 256 callers, 1,000 keys":
    "the processor of the app: 21 µs a request, of which the bare turn takes 6 µs and the rest is HTTP",
  "route: 256 callers, 100,000 keys":
    "the load of actors: a trip to PostgreSQL before that of the commit, 6 µs more of it for each request and 5 µs of the app, a third of whose time is the system call that writes to its connections",
  "activation: 100,000 stored actors at random, 256 callers":
    "the load of actors: a third of the turns wait for two trips to PostgreSQL instead of one; a third of the app's time is the system call that writes to its connections (a quarter where all are in memory), and a fifth of both processors stays idle",
  "http: 64 callers":
    "both processors: a refill takes 120 µs of the app (commit to PostgreSQL 23 %, three messages to NATS 17 %, the turn 11 %, HTTP 8 %, its own watchers of stock 6 %), 50 µs of PostgreSQL and 70 µs of NATS, which syncs them",
  "events: 64 callers":
    "the processor of the app: 90 µs an event (commit to PostgreSQL 19 %, HTTP 16 %, the turn 14 %, the relay 10 %, NATS 10 %, native code without a name 24 %); PostgreSQL takes 35 µs and NATS 40 µs of the other",
  "saga: 32 in flight":
    "both processors: an order takes 34 ms of the app (of it 22 % are system calls that write to PostgreSQL and NATS, and all actors' turns 13 %), 17 ms of PostgreSQL, 8 ms of NATS and 20 ms of Temporal; the bare workflow, which tells nobody and keeps nothing, takes 21 ms of Temporal and 9 ms of its worker",
  "growth: 100,000 stored actors, 256 callers":
    "the load of actors, as above: the more there are, the more turns begin with one; with a million, nearly each turn of the five seconds does",
  "growth: 1,000,000 stored actors, 256 callers":
    "the load of actors, as above: the more there are, the more turns begin with one; with a million, nearly each turn of the five seconds does",
  "growth: 4 processes on one PostgreSQL, 256 callers":
    "both processors, which all share: one process beside PostgreSQL has them full already",
  "services: forwarded, 64 callers":
    "both processors: a request takes 50 µs of the app and 98 µs of the containers and the kernel's bridges between, where one past the app takes 40 µs of these",
  "relay: kafka, backlog of 60,000":
    "the processor of the app: an event takes 16 µs of it in the sink, of which the client library's encoding (a small buffer for each field, put together again) is two thirds",
  "relay: rabbitmq, backlog of 60,000":
    "the processor of RabbitMQ: an event takes 70 µs of it in a quorum queue, and 18 µs of the app; both share two processors with PostgreSQL",
};
