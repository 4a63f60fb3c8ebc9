/**
 * What the benchmark `sockets` measures, in a process of its own: `bun socket-server.ts troupe|plain NAME`.
 * `troupe`: turns that broadcast, a Postgres store, topics in JetStream, the sockets of the ingress. `plain`: Bun's own
 * publish to its subscribers, nothing stored.
 */
import * as v from "valibot";
import { createSockets } from "#actors/ingress/sockets/sockets.ts";
import { connectNats } from "#infra/nats/connection.ts";
import { natsTopics } from "#infra/nats/topics.ts";
import { postgresStore } from "#infra/postgres/store.ts";
import { actor, createTroupe, silentLog } from "#runtime";
import { NOTE } from "./beat.ts";
import { rssOf } from "./measure.ts";
import { paced } from "./paced.ts";
import { answerParent, nowMs, type Result, topicOf } from "./socket-messages.ts";

const ACTORS = 1_000;

const Crier = actor("crier", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command }) => ({
    cry: command({ in: v.object({ n: v.number(), topic: v.string() }) }, (c, { n, topic }) => {
      c.state.count++;
      c.broadcast(topic, "cried", { n, note: NOTE });
    }),
  }),
});

/** Broadcasts the message `n`; resolves when it is durable, for those to whom that means something. */
type Broadcast = (n: number, topic: string) => Promise<unknown>;

const [mode, name = "bench"] = process.argv.slice(2);
const broadcast = mode === "plain" ? plain() : await troupe();

answerParent(async (command): Promise<Result> => {
  if (command.kind === "rss") {
    Bun.gc(true);
    return { kind: "rss", rssMb: rssOf() };
  }
  const times: [number, number][] = [];
  if (command.kind === "drive") {
    const until = nowMs() + command.seconds * 1_000;
    let n = command.from;
    const call = async (): Promise<void> => {
      while (nowMs() < until) {
        const mine = n++;
        await broadcast(mine, topicOf(mine, command.topics));
        times.push([mine, nowMs()]);
      }
    };
    await Promise.all(Array.from({ length: command.callers }, call));
    return { kind: "fed", times };
  }
  if (command.kind !== "feed") throw new TypeError(`The server does not know ${command.kind}`);
  await paced(command.rate, command.seconds, async (i) => {
    const n = command.from + i;
    await broadcast(n, topicOf(n, command.topics));
    times.push([n, nowMs()]);
  });
  return { kind: "fed", times };
});

async function troupe(): Promise<Broadcast> {
  const { DATABASE_URL: database = "", NATS_URL: url = "" } = process.env;
  const connection = connectNats({ url, log: silentLog });
  await connection.ready(10_000);
  const topics = natsTopics({ connection, log: silentLog, stream: `TOPICS-${name}`, subjectPrefix: `${name}.topic` });
  const node = await createTroupe({ actors: [Crier], stores: { default: postgresStore(database) }, topics });
  const sockets = createSockets({ topics: () => topics, access: { origins: () => [] }, log: silentLog });
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, own) => sockets.upgrade(request, own),
    websocket: sockets.websocket,
  });
  process.send?.({ kind: "listening", port: server.port ?? 0 } satisfies Result);
  return (n, topic) => node.ref(Crier, `k${n % ACTORS}`).cry({ n, topic });
}

function plain(): Broadcast {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, own) => (own.upgrade(request) ? undefined : new Response(null, { status: 426 })),
    websocket: {
      message(socket, text) {
        const { subscribe } = JSON.parse(String(text)) as { subscribe: string[] };
        for (const topic of subscribe) socket.subscribe(topic);
        socket.send(JSON.stringify({ subscribed: subscribe }));
      },
    },
  });
  process.send?.({ kind: "listening", port: server.port ?? 0 } satisfies Result);
  return async (n, topic) => {
    server.publish(topic, JSON.stringify({ id: n, topic, type: "cried", data: { n, note: NOTE } }));
  };
}
