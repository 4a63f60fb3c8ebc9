import { type Client, connect } from "#infra/client/mod.ts";
import type { Counter, Room } from "#infra/door/door-bench.ts";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { postmasterOf } from "./cpu.ts";
import { requestBytes } from "./http-client.ts";
import { driveHttp } from "./http-load.ts";
import { load, type Measured, rssOf, summary } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";
import { startServer } from "./server-process.ts";

const SERVER = Bun.fileURLToPath(new URL("doors-server.ts", import.meta.url));
const CALLERS = 64;
const ACTORS = 100;
/** Streams of one socket: as many as a door takes. */
const STREAMS = 100;
const WATCHERS = 5_000;
const CHANGES = 30;
const CONVERSATIONS = { seconds: 5, warmUpSeconds: 1 };

type App = { counter: typeof Counter; room: typeof Room };

/** The typed door: a call to its durable reply, a change to all who watch, a message over a socket to its answer. */
export async function* doors(): AsyncGenerator<BenchCase> {
  const postmaster = await postmasterOf(await testServer("postgres"));
  await using database = await testDatabase("bench_doors");
  await using server = await startServer(SERVER, database.url);
  const { address, pid } = server;

  progress(`doors: ${CALLERS} calls in flight, then an empty handler (8 s each)`);
  const body = { by: 1 };
  const { host } = new URL(address);
  const calls = Array.from({ length: ACTORS }, (_, i) =>
    requestBytes(host, { method: "POST", path: `/counter/a${i}/add`, body }),
  );
  const at = (caller: number, nth: number): Uint8Array => calls[(caller + nth) % ACTORS] ?? new Uint8Array();
  const measured = await driveHttp({ label: "doors", address, pid, postmaster }, CALLERS, at);
  const nothing = requestBytes(host, { method: "POST", path: "/empty", body });
  const empty = await driveHttp({ label: "doors: an empty handler", address, pid }, CALLERS, () => nothing);
  yield {
    bench: "doors",
    case: `${CALLERS} calls in flight over HTTP`,
    measured,
    baseline: { name: "an empty handler", ...empty },
  };

  progress(`doors: ${CALLERS} calls in flight of the typed client over one socket (8 s)`);
  yield {
    bench: "doors",
    case: `${CALLERS} calls in flight over one socket`,
    measured: await overSocket(address, pid),
  };

  progress("doors: messages over sockets of an actor to their answers (6 s)");
  yield { bench: "doors", case: "one socket of an actor: message to answer", measured: await answers(address, pid) };

  progress(`doors: ${WATCHERS} watchers of one actor, ${CHANGES} changes`);
  yield { bench: "doors", case: `${WATCHERS} watchers hear a change`, measured: await watchers(address, pid) };
}

function client(address: string): Client<App> {
  return connect<App>(address, { transport: "websocket" });
}

async function overSocket(address: string, pid: number): Promise<Measured> {
  const one = client(address);
  const counters = Array.from({ length: ACTORS }, (_, i) => one.ref("counter", `a${i}`));
  try {
    const measured = await load(CALLERS, (caller, nth) => counters[(caller + nth) % ACTORS]!.add({ by: 1 }));
    return { ...measured, rssMb: rssOf(pid) };
  } finally {
    one.close();
  }
}

/** The answer is what the turn sends to the socket, after its commit. */
async function answers(address: string, pid: number): Promise<Measured> {
  const one = client(address);
  const socket = await one.socket("room", "bench", { data: { name: "anna" } });
  const messages = socket[Symbol.asyncIterator]();
  try {
    const talk = async (): Promise<void> => {
      const [, answer] = await Promise.all([socket.send({ say: "to myself" }), messages.next()]);
      if (answer.done === true) throw new Error("The socket was closed");
    };
    return { ...(await load(1, talk, CONVERSATIONS)), rssMb: rssOf(pid) };
  } finally {
    one.close();
  }
}

/** From the call of a change to each watcher that hears of it. */
async function watchers(address: string, pid: number): Promise<Measured> {
  const clients = Array.from({ length: WATCHERS / STREAMS }, () => client(address));
  const stop = new AbortController();
  const latencies: number[] = [];
  let heard = 0;
  let changed = 0;
  let enough = Promise.withResolvers<void>();
  const watch = async (one: Client<App>): Promise<void> => {
    for await (const { state } of one.watch("counter", "watched", { signal: stop.signal })) {
      if (state.count > 0) latencies.push(performance.now() - changed);
      if (++heard === WATCHERS) enough.resolve();
    }
  };
  const watching = clients.flatMap((one) => Array.from({ length: STREAMS }, () => watch(one)));
  const startedAt = performance.now();
  try {
    await enough.promise;
    const caller = client(address);
    for (let i = 0; i < CHANGES; i++) {
      heard = 0;
      enough = Promise.withResolvers<void>();
      changed = performance.now();
      await caller.ref("counter", "watched").add({ by: 1 });
      await enough.promise;
    }
    caller.close();
    return summary(latencies, (performance.now() - startedAt) / 1_000, rssOf(pid));
  } finally {
    stop.abort();
    for (const one of clients) one.close();
    await Promise.allSettled(watching);
  }
}
