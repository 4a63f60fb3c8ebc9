/** The actor, the door and the ways to it that the checks of doors use. */
import * as v from "valibot";
import { actor, createTroupe, memory, memoryTopics, statelessWorker, type Troupe } from "#runtime";
import type { ClientSocket } from "../client/mod.ts";
import { LocalSocket } from "./local-socket.ts";
import { actorHandler, type ActorHandler, type DoorOptions, expose } from "./mod.ts";

/** The actor the checks call. */
export const Counter = actor("counter", {
  key: v.pipe(v.string(), v.maxLength(40)),
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command(
      { in: v.object({ by: v.number() }), out: v.number(), refuses: ["not_positive", "too_much"] },
      (c, { by }) => {
        c.require(by > 0, "not_positive", { by });
        c.require(by < 1_000, "too_much");
        c.state.count += by;
        c.broadcast("counters/all", "counter.added", { by });
        return c.state.count;
      },
    ),
    reset: command({}, (c) => void (c.state.count = 0)),
    fail: command({}, () => {
      throw new Error("secret");
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

/** How often a room has left memory. */
export const ROOM_SLEEPS = { count: 0 };

/** The actor with sockets that the checks connect to. */
export const Room = actor("room", {
  state: v.object({ said: v.array(v.string()), present: v.array(v.string()) }),
  initial: () => ({ said: [], present: [] }),
  idle: "30ms",
  messages: ({ command, query }) => ({
    shout: command({ in: v.string() }, (c, text) => c.sockets.broadcast({ by: "room", text })),
    whisper: command({ in: v.object({ to: v.string(), text: v.string() }) }, (c, { to, text }) =>
      c.sockets.send(to, { by: "room", text }),
    ),
    said: query({ out: v.array(v.string()) }, (c) => c.state.said),
    present: query({ out: v.array(v.string()) }, (c) => c.state.present),
  }),
  onPassivate: () => void ROOM_SLEEPS.count++,
  sockets: (sockets) =>
    sockets(
      {
        with: v.object({ name: v.string() }),
        in: v.object({ say: v.string() }),
        out: v.object({ by: v.string(), text: v.string(), nth: v.optional(v.number()) }),
        state: v.object({ name: v.string(), said: v.number() }),
      },
      {
        initial: () => ({ name: "", said: 0 }),
        onConnect(c, socket, { name }) {
          c.require(name !== "banned", "banned");
          socket.state.name = name;
          c.state.present.push(name);
          c.sockets.broadcast({ by: name, text: "joined" }, { except: socket.id });
        },
        onMessage(c, socket, { say }) {
          const nth = ++socket.state.said;
          c.require(say !== "", "empty");
          c.state.said.push(say);
          const said = { by: socket.state.name, text: say, nth };
          if (!say.startsWith("to myself")) return c.sockets.broadcast(said);
          socket.send(said);
          if (say.endsWith("bye")) socket.close();
        },
        onClose(c, socket) {
          c.state.present = c.state.present.filter((name) => name !== socket.state.name);
          c.sockets.broadcast({ by: socket.state.name, text: `left after ${socket.state.said}` });
        },
      },
    ),
});

/** The stateless worker that the checks call. */
export const Sums = statelessWorker("sums", {
  messages: ({ work }) => ({
    add: work(
      { in: v.object({ a: v.number(), b: v.number() }), out: v.number(), refuses: ["too_much"] },
      async (c, { a, b }) => {
        c.require(a + b < 1_000, "too_much", { limit: 1_000 });
        return a + b;
      },
    ),
  }),
});

const Hidden = actor("hidden", {
  state: v.object({}),
  initial: () => ({}),
  messages: ({ command }) => ({ open: command({}, () => undefined) }),
});

/** Makes a door reachable. */
export type Serve = (door: ActorHandler) => Promise<Reach>;

/** How a door is reached. */
export interface Reach {
  readonly url: string;
  readonly fetch: (request: Request) => Promise<Response>;
  /** Begins to open a socket. */
  readonly webSocket: (url: string) => ClientSocket;
  close(): Promise<void>;
}

/** A door in the same process, without any connection. */
export const inProcess: Serve = (door) =>
  Promise.resolve({
    url: "http://door",
    fetch: door,
    webSocket: (url) => LocalSocket.dial(door, url),
    close: () => Promise.resolve(),
  });

/** A door that a check uses. */
export interface Bench extends Reach {
  readonly troupe: Troupe;
  readonly door: ActorHandler;
}

/** Opens a door with the counter for one check. */
export type WithDoor = (use: (bench: Bench) => Promise<void>, options?: Partial<DoorOptions>) => Promise<void>;

/** Opens doors that `serve` makes reachable. */
export function doorsOf(serve: Serve): WithDoor {
  return async (use, options = {}) => {
    const troupe = await createTroupe({
      actors: [Counter, Room, Hidden],
      workers: [Sums],
      stores: { default: memory() },
      topics: memoryTopics(),
    });
    const actors = [expose(Counter, { topics: () => ["counters/all"] }), Room];
    const workers = [Sums];
    const door = actorHandler(troupe, { actors, workers, authorize: () => true, base: "/rpc", ...options });
    const reach = await serve(door);
    try {
      await use({ ...reach, url: `${reach.url}/rpc`, troupe, door });
    } finally {
      door.close();
      await reach.close();
      await troupe.stop();
    }
  };
}
