/** What the client does, by each of its transports. */
import { CallError, type ClientSocket, connect, type ConnectOptions, reasonOf } from "../client/mod.ts";
import { equal, failure } from "../testing/checks.ts";
import { type Bench, Counter, type Sums, type WithDoor } from "./door-bench.ts";

type Transport = NonNullable<ConnectOptions["transport"]>;
const TRANSPORTS: Readonly<Record<Transport, string>> = {
  http: "over HTTP",
  batch: "in batches",
  websocket: "over a socket",
};

export function clientChecks(withDoor: WithDoor): Readonly<Record<string, () => Promise<void>>> {
  return Object.fromEntries(
    (Object.keys(TRANSPORTS) as Transport[]).flatMap((transport) =>
      Object.entries(checksOf(withDoor, transport)).map(([check, run]) => [`${check}, ${TRANSPORTS[transport]}`, run]),
    ),
  );
}

function checksOf(withDoor: WithDoor, transport: Transport): Record<string, () => Promise<void>> {
  const using = (bench: Bench, options: ConnectOptions = {}) =>
    connect<{ counter: typeof Counter; sums: typeof Sums }>(bench.url, {
      fetch: bench.fetch,
      webSocket: bench.webSocket,
      transport,
      ...options,
    });

  return {
    "the client calls, and knows its refusals": () =>
      withDoor(async (bench) => {
        const client = using(bench);
        const visits = client.ref("counter", "über/a b");
        equal(await visits.add({ by: 2 }), 2);
        equal(await visits.reset(), undefined);
        equal(await visits.value(), 0);
        const error = await failure(visits.add({ by: -1 }));
        equal(reasonOf(error, visits.add), "not_positive");
        const misfit = await failure(visits.add({ by: "x" as never }));
        equal(misfit instanceof CallError && [misfit.code, misfit.issues[0]?.path], ["invalid_input", "/by"]);
        client.close();
        equal(await visits.add({ by: 1 }), 1);
        client.close();
      }),

    "the client asks a stateless worker, which has no key": () =>
      withDoor(async (bench) => {
        const client = using(bench);
        const sums = client.ref("sums");
        equal(await Promise.all([1, 2, 3].map((b) => sums.add({ a: 1, b }))), [2, 3, 4]);
        equal(reasonOf(await failure(sums.add({ a: 999, b: 1 })), sums.add), "too_much");
        client.close();
      }),

    "the client says who it is anew with every try": () =>
      withDoor(
        async (bench) => {
          let token = "anna";
          const visits = using(bench, { auth: () => token }).ref("counter", "a");
          equal(await visits.add({ by: 1 }, { id: "k" }), 1);
          equal(await visits.add({ by: 1 }, { id: "k" }), 1);
          token = "bert";
          equal(await visits.add({ by: 1 }, { id: "k" }), 2);
          token = "";
          const error = await failure(visits.add({ by: 1 }));
          equal(error instanceof CallError && [error.code, error.status], ["forbidden", 403]);
          const stranger = await failure(using(bench).ref("counter", "a").value());
          equal(stranger instanceof CallError && stranger.code, "unauthenticated");
        },
        {
          authorize(_, request) {
            const [, caller = ""] = /^Bearer\s*(.*)$/u.exec(request.headers.get("authorization") ?? "none") ?? [];
            if (request.headers.get("authorization") === null) return "unauthenticated";
            return caller !== "" && { caller };
          },
        },
      ),

    "the client repeats what was lost on its way, and the command acts once": () =>
      withDoor(async (bench) => {
        let lost = 0;
        const losing = async (request: Request): Promise<Response> => {
          const response = await bench.fetch(request);
          // The first answers are lost: the turns have been committed all the same.
          if (++lost > 10) return response;
          await response.text();
          if (lost % 2 === 0) throw new TypeError("The line broke");
          return new Response("a proxy's own page", { status: 502 });
        };
        const webSocket = (url: string): ClientSocket =>
          ++lost > 3 ? bench.webSocket(url) : deaf(bench.webSocket(url));
        const visits = using(bench, { fetch: losing, webSocket }).ref(Counter, "a");
        const sums = await Promise.all(Array.from({ length: 10 }, () => visits.add({ by: 1 })));
        equal(lost > 3, true);
        equal(
          sums.toSorted((a, b) => a - b),
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
        );
        equal(await bench.troupe.ref(Counter, "a").value(), 10);
      }),

    "the client gives up at its deadline, and when it is told to": () =>
      withDoor(async (bench) => {
        const silent = (request: Request): Promise<Response> =>
          new Promise((_, reject) => request.signal.addEventListener("abort", () => reject(new Error("aborted"))));
        const closed: ClientSocket = {
          send: () => undefined,
          close: () => undefined,
          addEventListener: () => undefined,
        };
        const visits = using(bench, { fetch: silent, webSocket: () => closed, timeoutMs: 30 }).ref(Counter, "a");
        const late = await failure(visits.value());
        equal(late instanceof CallError && late.code, "deadline_exceeded");
        const given = await failure(visits.value(undefined, { signal: AbortSignal.abort() }));
        equal(given instanceof CallError && given.code, "cancelled");
        const deaf = (): Promise<Response> => new Promise(() => undefined);
        const stuck = using(bench, { fetch: deaf, webSocket: () => closed, timeoutMs: 30 }).ref(Counter, "a");
        const unheard = await failure(stuck.value());
        equal(unheard instanceof CallError && unheard.code, "deadline_exceeded");
      }),

    "the client watches states, and goes on where its line broke, without a repeat": () =>
      withDoor(
        async (bench) => {
          const client = using(bench);
          const seen: number[] = [];
          for await (const { state, exists } of client.watch(Counter, "a")) {
            equal(exists, seen.length > 0);
            seen.push(state.count);
            if (state.count === 5) break;
            bench.door.close(); // every stream ends after each state
            await bench.troupe.ref(Counter, "a").add({ by: 1 });
          }
          equal(seen, [0, 1, 2, 3, 4, 5]);
        },
        { heartbeat: "20ms" },
      ),

    "the client's stream outlives the time after which its door asks anew who may": () =>
      withDoor(
        async (bench) => {
          const seen: number[] = [];
          for await (const { state } of using(bench).watch(Counter, "a")) {
            seen.push(state.count);
            if (state.count === 3) break;
            await new Promise((resolve) => setTimeout(resolve, 40));
            await bench.troupe.ref(Counter, "a").add({ by: 1 });
          }
          equal(seen, [0, 1, 2, 3]);
        },
        { streamFor: "20ms" },
      ),

    "the client follows broadcasts over broken lines: each once, in order": () =>
      withDoor(async (bench) => {
        const client = using(bench);
        const counter = bench.troupe.ref(Counter, "a");
        const seen: unknown[] = [];
        const follow = client.follow(Counter, "a");
        const first = follow.next();
        // Until the stream stands, what is broadcast may be before it.
        let added = 0;
        let came: Awaited<typeof first> | undefined;
        void first.then((result) => (came = result));
        while (came === undefined) {
          await counter.add({ by: ++added });
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        const from = came.value?.kind === "message" ? (came.value.data as { by: number }).by : 0;
        for (let by = added + 1; by <= added + 6; by++) {
          bench.door.close();
          await counter.add({ by });
        }
        for (let by = from + 1; by <= added + 6; by++) {
          const { value } = await follow.next();
          seen.push(value?.kind === "message" ? (value.data as { by: number }).by : value);
        }
        equal(
          seen,
          Array.from({ length: added + 6 - from }, (_, i) => from + 1 + i),
        );
        await follow.return();
      }),

    "the client is told that it may not watch, and asks no more": () =>
      withDoor(
        async (bench) => {
          const error = await failure(using(bench).watch(Counter, "a").next());
          equal(error instanceof CallError && error.code, "forbidden");
        },
        { authorize: () => false },
      ),
  };
}

/** A socket whose first answer breaks it: nothing of it is heard. */
function deaf(socket: ClientSocket): ClientSocket {
  socket.addEventListener("message", () => socket.close());
  return {
    send: (text) => socket.send(text),
    close: () => socket.close(),
    addEventListener(type: string, listener: never) {
      if (type !== "message") socket.addEventListener(type as "open", listener);
    },
  };
}
