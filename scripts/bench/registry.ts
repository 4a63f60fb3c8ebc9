import type { ServerName } from "#infra/stack/types.ts";
import { activation } from "./activation.ts";
import { consolePages } from "./console.ts";
import { containers } from "./containers.ts";
import { doors } from "./doors.ts";
import { events } from "./events.ts";
import { failover } from "./failover.ts";
import { growth } from "./growth.ts";
import { http } from "./http.ts";
import { ask, tell } from "./memory.ts";
import type { BenchOptions } from "./options.ts";
import { overload } from "./overload.ts";
import { redrive } from "./redrive.ts";
import { relay } from "./relay.ts";
import { askTwoNodes } from "./remote.ts";
import type { BenchCase } from "./report.ts";
import { route } from "./route.ts";
import { saga } from "./saga.ts";
import { services } from "./services.ts";
import { sockets } from "./sockets.ts";
import { traces } from "./traces.ts";
import { hot, turn } from "./turn.ts";

/** A benchmark that `bun run bench` knows. */
export interface Bench {
  readonly name: string;
  /** One line, for `--help`. */
  readonly about: string;
  readonly servers: readonly ServerName[];
  /** How long it takes on two processors with nothing else to do, without options, about. */
  readonly seconds: number;
  /** It runs only where it is named, and is no part of a run of all. */
  readonly alone?: true;
  readonly run: (options: BenchOptions) => AsyncGenerator<BenchCase>;
}

/** Every benchmark, in the order in which they run. */
export const BENCHES: readonly Bench[] = [
  {
    name: "ask",
    about: "call and reply within one node and between two, nothing stored",
    servers: ["nats"],
    seconds: 100,
    async *run() {
      yield* ask();
      yield* askTwoNodes();
    },
  },
  { name: "tell", about: "messages whose reply nobody waits for", servers: [], seconds: 35, run: tell },
  { name: "turn", about: "durable turns with one event each", servers: ["postgres"], seconds: 60, run: turn },
  { name: "hot", about: "durable turns of one single actor", servers: ["postgres"], seconds: 10, run: hot },
  {
    name: "traces",
    about: "what tracing costs a turn, recorded and not",
    servers: ["postgres"],
    seconds: 45,
    run: traces,
  },
  {
    name: "overload",
    about: "ten times as many callers for a minute: who is let in, memory, and when all is normal again",
    servers: ["postgres"],
    seconds: 100,
    run: overload,
  },
  {
    name: "activation",
    about: "the first message to stored, passive actors",
    servers: ["postgres"],
    seconds: 65,
    run: activation,
  },
  {
    name: "growth",
    about:
      "the same work beside 1,000 to 1M actors, ids, outbox rows, timers, sockets and dead letters, against the fewest; one to four processes",
    servers: ["postgres", "nats"],
    seconds: 220,
    run: growth,
  },
  {
    name: "console",
    about: "2,000 events/s and 300 log lines/s beside an open page: frames drawn, and what it costs the app",
    servers: ["postgres", "nats", "kafka", "rabbitmq", "redis", "temporal"],
    seconds: 180,
    alone: true,
    run: consolePages,
  },
  {
    name: "relay",
    about: "commit to broker acknowledgement, and the drain of a backlog",
    servers: ["postgres", "nats", "kafka", "rabbitmq", "redis"],
    seconds: 340,
    run: relay,
  },
  {
    name: "redrive",
    about: "dead letters of a broker, all replayed in the order of their keys",
    servers: ["postgres", "nats"],
    seconds: 45,
    run: redrive,
  },
  {
    name: "route",
    about: "a durable turn behind one Elysia route of the bare runtime, and over keys that are not in memory",
    servers: ["postgres"],
    seconds: 65,
    run: route,
  },
  {
    name: "http",
    about: "one HTTP command to its durable reply",
    servers: ["postgres", "nats", "temporal"],
    seconds: 35,
    run: http,
  },
  {
    name: "events",
    about: "events over HTTP to their commit: schema, route, once per id",
    servers: ["postgres", "nats", "temporal"],
    seconds: 60,
    run: events,
  },
  {
    name: "failover",
    about: "the owner is killed, or leaves in order: until the next durable reply",
    servers: ["postgres", "nats", "temporal"],
    seconds: 60,
    run: failover,
  },
  {
    name: "sockets",
    about: "commit to the message at a WebSocket client, and what an idle one costs",
    servers: ["postgres", "nats"],
    seconds: 70,
    run: sockets,
  },
  {
    name: "doors",
    about:
      "the typed door: a call to its durable reply, a change to all who watch, a message over a socket to its answer",
    servers: ["postgres"],
    seconds: 40,
    run: doors,
  },
  {
    name: "saga",
    about: "orders from POST /orders to delivered",
    servers: ["postgres", "nats", "temporal"],
    seconds: 60,
    run: saga,
  },
  {
    name: "containers",
    about: "containers from the configuration to their answer, and healing; needs Docker",
    servers: ["postgres", "nats", "temporal"],
    seconds: 90,
    run: containers,
  },
  {
    name: "services",
    about:
      "services beside raw creates and Docker Swarm: up, healed, scaled, woken, updated under load, forwarded, at rest; needs Docker",
    servers: ["postgres", "nats", "temporal", "kafka"],
    seconds: 360,
    alone: true,
    run: services,
  },
];
