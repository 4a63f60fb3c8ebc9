/** What a socket of a door takes and refuses, frame by frame. */
import { CallError, connect } from "../client/mod.ts";
import { equal, failure, until } from "../testing/checks.ts";
import { Counter, type WithDoor } from "./door-bench.ts";
import { WINDOW } from "./frames.ts";
import { expose } from "./mod.ts";
import { type Frame, RawSocket } from "./raw-socket.ts";

export function socketChecks(withDoor: WithDoor): Readonly<Record<string, () => Promise<void>>> {
  const codeOf = ({ status, problem }: Frame): unknown => [status, (problem as { code: string } | undefined)?.code];

  return {
    "a frame that is none ends the socket, and nothing of it is called": () =>
      withDoor(async (bench) => {
        const call = { id: 1, call: ["counter", "a", "add"], input: { by: 1 } };
        for (const frame of [
          "{",
          "[]",
          "1",
          { id: -1, call: call.call },
          { ...call, call: ["counter", "a"] },
          { ...call, call: ["counter", "a", ""] },
          { ...call, deadlineMs: "1" },
          { id: 1, watch: ["counter"] },
          { id: 1, take: -1 },
          { auth: 1 },
          `{"id":1,"id":2,"call":["counter","a","add"],"input":{"by":1}}`,
        ]) {
          const raw = await new RawSocket(bench).opened();
          raw.send(frame);
          equal([frame, await raw.code()], [frame, 1_008]);
        }
        const twice = await new RawSocket(bench).opened();
        twice.send({ id: 1, watch: ["counter", "a"] });
        twice.send({ id: 1, watch: ["counter", "b"] });
        equal(await twice.code(), 1_008);
        const binary = await new RawSocket(bench).opened();
        binary.socket.send(new Uint8Array([123, 125]) as unknown as string);
        equal(await binary.code(), 1_003);
        equal(await bench.troupe.ref(Counter, "a").value(), 0);
      }),

    "what was not listed is not there for a socket either": () =>
      withDoor(
        async (bench) => {
          const raw = await new RawSocket(bench).opened();
          for (const [i, call] of [
            ["hidden", "a", "open"],
            ["counter", "a", "reset"],
            ["counter", "a", "$destroy"],
            ["counter", "a", "__proto__"],
          ].entries()) {
            raw.send({ id: i, call });
            equal(codeOf(await raw.answer(i)), [404, i === 0 ? "actor.not_found" : "message.not_found"]);
          }
          raw.send({ id: 9, watch: ["counter", "a"] });
          equal(codeOf(await raw.answer(9)), [404, "message.not_found"]);
          raw.socket.close();
        },
        { actors: [expose(Counter, { messages: ["add"], watch: false })] },
      ),

    "a frame that is too large ends the socket, and its call alone is told so": () =>
      withDoor(
        async (bench) => {
          const client = connect(bench.url, { webSocket: bench.webSocket, transport: "websocket" });
          const visits = client.ref(Counter, "a");
          const large = failure(visits.add({ by: 1, note: "x".repeat(9_000) } as never));
          const small = visits.add({ by: 1 });
          const error = await large;
          equal(error instanceof CallError && [error.code, error.status], ["body.too_large", 413]);
          equal(await small, 1);
          client.close();
        },
        { maxBodyBytes: 1_000 },
      ),

    "calls, streams and sockets have their limits": () =>
      withDoor(
        async (bench) => {
          const raw = await new RawSocket(bench).opened();
          for (const id of [1, 2]) raw.send({ id, call: ["counter", "held", "add"], input: { by: 1 } });
          equal(codeOf(await raw.answer(2)), [429, "calls.full"]);
          for (const id of [3, 4]) raw.send({ id, watch: ["counter", "a"] });
          equal(codeOf(await raw.answer(4)), [503, "streams.full"]);
          equal((await raw.answer(3))["event"], "state");
          raw.send({ id: 3, cancel: true });
          await until(() => Promise.resolve(raw.came.some(({ id, end }) => id === 3 && end === true)));
          raw.send({ id: 5, watch: ["counter", "a"] });
          equal((await raw.answer(5))["event"], "state");
          equal(typeof (await new RawSocket(bench).code()), "number");
          raw.socket.close();
          await until(async () => {
            const next = new RawSocket(bench);
            const open = await Promise.race([next.opened(), next.code()]);
            next.socket.close();
            return typeof open === "object";
          });
        },
        {
          sockets: { max: 1, maxCalls: 1, maxStreams: 1 },
          authorize: ({ key }) => key !== "held" || new Promise<boolean>(() => undefined),
        },
      ),

    "a reader that takes its time is sent no more than it has room for, and meets the newest state next": () =>
      withDoor(
        async (bench) => {
          const raw = await new RawSocket(bench).opened();
          const counter = bench.troupe.ref(Counter, "a");
          raw.send({ id: 1, watch: ["counter", "a"] });
          await raw.answer(1);
          for (let came = 1; came < WINDOW; came++) {
            await counter.add({ by: 1 });
            await until(() => Promise.resolve(raw.came.length === came + 1));
          }
          for (let i = 0; i < 20; i++) await counter.add({ by: 1 });
          raw.send({ id: 2, call: ["counter", "a", "value"] });
          await raw.answer(2);
          equal(raw.came.filter(({ id }) => id === 1).length, WINDOW);
          raw.send({ id: 1, take: 2 });
          await until(async () => {
            const last = raw.came.findLast(({ id }) => id === 1)?.["data"] as { state: { count: number } };
            return last.state.count === WINDOW - 1 + 20;
          });
          equal(raw.came.filter(({ id }) => id === 1).length <= WINDOW + 2, true);
          raw.socket.close();
        },
        { actors: [Counter] },
      ),

    "a client that says nothing loses its socket, and one that answers keeps it": () =>
      withDoor(
        async (bench) => {
          const silent = await new RawSocket(bench).opened();
          const alive = await new RawSocket(bench).opened();
          alive.socket.addEventListener("message", ({ data }) => data === "{}" && alive.send("{}"));
          equal(await silent.code(), 1_001);
          await until(() => Promise.resolve(alive.beats > 12));
          equal(alive.closed, undefined);
          alive.socket.close();
        },
        { heartbeat: "20ms" },
      ),

    "what waits for a client that does not read ends its session": () =>
      withDoor(
        ({ door, url }) => {
          const said: unknown[] = [];
          let unread = 0;
          const request = new Request(`${url}/socket`, { headers: { upgrade: "websocket" } });
          const session = door.session(request, {
            send: (text) => said.push(text),
            close: (code) => said.push(code),
            unreadBytes: () => unread,
          });
          session.message("{}");
          unread = 11;
          session.message("{}");
          session.message("{}");
          equal(said, [1_013]);
          return Promise.resolve();
        },
        { sockets: { maxUnreadBytes: 10 } },
      ),

    "a page of another origin opens no socket": () =>
      withDoor(
        async ({ door, url }) => {
          const from = async (origin: string): Promise<unknown> => {
            const headers = { upgrade: "websocket", host: "door.example", origin };
            const refused = door.refuseSocket(new Request(`${url}/socket`, { headers }));
            return refused && ((await refused.json()) as { code: string }).code;
          };
          equal(await from("https://evil.example"), "origin.forbidden");
          equal(await from("null"), "origin.forbidden");
          equal(await from("https://page.example"), undefined);
          const own = new URL(url).host;
          const headers = { upgrade: "websocket", origin: `http://${own}` };
          equal(door.refuseSocket(new Request(`${url}/socket`, { headers })), undefined);
          const plain = await door(new Request(`${url}/socket`, { headers: { upgrade: "websocket" } }));
          equal(plain.status, 426);
        },
        { sockets: { origins: ["https://page.example"] } },
      ),
  };
}
