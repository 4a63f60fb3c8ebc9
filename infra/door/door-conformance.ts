/**
 * What a door and its client must do on every host: one file of checks without a test runner, as the hosts have none in
 * common. Run in one process here, and over real connections by `door.test.ts`.
 */
import * as v from "valibot";
import { actor, createTroupe, memory, memoryTopics, type Troupe } from "#runtime";
import { CallError, connect, reasonOf } from "../client/mod.ts";
import { equal, failure, until } from "../testing/checks.ts";
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
  close(): Promise<void>;
}

/** A door in the same process, without any connection. */
export const inProcess: Serve = (door) =>
  Promise.resolve({ url: "http://door", fetch: door, close: () => Promise.resolve() });

interface Bench extends Reach {
  readonly troupe: Troupe;
  readonly door: ActorHandler;
}

/** The checks, by what they say. */
export function doorChecks(serve: Serve): Readonly<Record<string, () => Promise<void>>> {
  const withDoor = async (use: (bench: Bench) => Promise<void>, options: Partial<DoorOptions> = {}): Promise<void> => {
    const troupe = await createTroupe({
      actors: [Counter, Hidden],
      stores: { default: memory() },
      topics: memoryTopics(),
    });
    const actors = [expose(Counter, { topics: () => ["counters/all"] })];
    const door = actorHandler(troupe, { actors, authorize: () => true, base: "/rpc", ...options });
    const reach = await serve(door);
    try {
      await use({ ...reach, url: `${reach.url}/rpc`, troupe, door });
    } finally {
      door.close();
      await reach.close();
      await troupe.stop();
    }
  };
  const post = ({ url, fetch }: Bench, path: string, body: string | undefined, headers: Record<string, string> = {}) =>
    fetch(
      new Request(`${url}${path}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        ...(body !== undefined && { body }),
      }),
    );
  const codeOf = async (response: Promise<Response>): Promise<unknown> => {
    const answer = await response;
    equal(answer.headers.get("content-type"), "application/problem+json");
    const { code, status, traceId } = (await answer.json()) as Record<string, unknown>;
    equal([status, traceId], [answer.status, answer.headers.get("x-trace-id")]);
    return [answer.status, code];
  };

  return {
    "a command is a turn, and its reply is JSON": () =>
      withDoor(async (bench) => {
        const answer = await post(bench, "/counter/a/add", `{"by":2}`);
        equal([answer.status, await answer.json()], [200, 2]);
        equal(await (await post(bench, "/counter/a/value", undefined)).json(), 2);
        equal((await post(bench, "/counter/a/reset", undefined)).status, 204);
      }),

    "the same Idempotency-Key acts once, and is refused with another input": () =>
      withDoor(async (bench) => {
        const key = { "idempotency-key": "k1" };
        for (let i = 0; i < 3; i++) equal(await (await post(bench, "/counter/a/add", `{"by":3}`, key)).json(), 3);
        equal(await codeOf(post(bench, "/counter/a/add", `{"by":4}`, key)), [422, "idempotency.key_reused"]);
        const long = { "idempotency-key": "x".repeat(255) };
        for (let i = 0; i < 2; i++) equal(await (await post(bench, "/counter/a/add", `{"by":1}`, long)).json(), 4);
        equal(await codeOf(post(bench, "/counter/a/add", `{"by":1}`, { "idempotency-key": "a b" })), [
          400,
          "idempotency.key_malformed",
        ]);
      }),

    "the same Idempotency-Key of two callers is two ids": () =>
      withDoor(
        async (bench) => {
          const as = (who: string) => ({ "idempotency-key": "k", authorization: who });
          equal(await (await post(bench, "/counter/a/add", `{"by":1}`, as("anna"))).json(), 1);
          equal(await (await post(bench, "/counter/a/add", `{"by":1}`, as("bert"))).json(), 2);
          equal(await (await post(bench, "/counter/a/add", `{"by":1}`, as("anna"))).json(), 1);
          equal(await codeOf(post(bench, "/counter/a/add", `{"by":1}`)), [401, "unauthenticated"]);
        },
        {
          authorize: (_, request) => {
            const caller = request.headers.get("authorization");
            return caller === null ? "unauthenticated" : { caller };
          },
        },
      ),

    "authorize sees type, key, message and input, and its no changes nothing": async () => {
      const seen: unknown[] = [];
      await withDoor(
        async (bench) => {
          equal(await codeOf(post(bench, "/counter/a%2Fb/add", `{"by":1}`)), [403, "forbidden"]);
          equal(await bench.troupe.ref(Counter, "a/b").value(), 0);
          equal((await bench.fetch(new Request(`${bench.url}/counter/a/watch`))).status, 403);
        },
        {
          authorize(call) {
            seen.push(call);
            return false;
          },
        },
      );
      equal(seen, [
        { kind: "command", type: "counter", key: "a/b", message: "add", input: { by: 1 } },
        { kind: "watch", type: "counter", key: "a", message: "watch" },
      ]);
    },

    "what was not listed is not there": () =>
      withDoor(
        async (bench) => {
          for (const path of ["/hidden/a/open", "/nothing/a/open", "/hidden/a/watch", "/__proto__/a/open"]) {
            equal(await codeOf(post(bench, path, undefined)), [404, "actor.not_found"]);
          }
          for (const name of ["add", "$rebuild", "constructor", "toString", "__proto__", "%24destroy"]) {
            equal(await codeOf(post(bench, `/counter/a/${name}`, `{"by":1}`)), [404, "message.not_found"]);
          }
          equal(await codeOf(bench.fetch(new Request(`${bench.url}/counter/a/watch`))), [404, "message.not_found"]);
          for (const path of ["", "/", "/counter", "/counter/a", "/counter//add", "/counter/a/value/more"]) {
            equal(await codeOf(post(bench, path, undefined)), [404, "not_found"]);
          }
          equal(await (await post(bench, "/counter/a/value", undefined)).json(), 0);
        },
        { actors: [expose(Counter, { messages: ["value"], watch: false })] },
      ),

    "what does not fit is a problem that names every place, and tells nothing of its cause": () =>
      withDoor(
        async (bench) => {
          const answer = await post(bench, "/counter/a/add", `{"by":"x"}`);
          const problem = (await answer.json()) as { errors: { path: string }[] };
          equal([answer.status, problem.errors.map(({ path }) => path)], [422, ["/by"]]);
          equal(await codeOf(post(bench, "/counter/a/add", `{`)), [400, "json.malformed"]);
          equal(await codeOf(post(bench, "/counter/a/add", `{"by":1}`, { "content-type": "text/plain" })), [
            415,
            "media_type.unsupported",
          ]);
          equal(await codeOf(post(bench, "/counter/a/add", `{"by":1,"x":"${"x".repeat(2_000)}"}`)), [
            413,
            "body.too_large",
          ]);
          equal(await codeOf(post(bench, `/counter/${"k".repeat(41)}/add`, `{"by":1}`)), [422, "invalid_input"]);
          equal(await codeOf(post(bench, `/counter/${"k".repeat(300)}/add`, `{"by":1}`)), [422, "invalid_input"]);
          equal(await codeOf(post(bench, "/counter/%ff/add", `{"by":1}`)), [400, "path.malformed"]);
          equal(await codeOf(post(bench, "/counter/a/add", `{"by":1}`, { "troupe-deadline-ms": "soon" })), [
            400,
            "deadline.malformed",
          ]);
          equal(await codeOf(bench.fetch(new Request(`${bench.url}/counter/a/add`))), [405, "method_not_allowed"]);
          const failed = await post(bench, "/counter/a/fail", undefined);
          const text = await failed.text();
          equal([failed.status, text.includes("secret"), text.includes(`"internal"`)], [500, false, true]);
        },
        { maxBodyBytes: 1_000 },
      ),

    "a refusal is a conflict with its reason and data": () =>
      withDoor(async (bench) => {
        const answer = await post(bench, "/counter/a/add", `{"by":-1}`);
        const { code, reason, data } = (await answer.json()) as Record<string, unknown>;
        equal([answer.status, code, reason, data], [409, "counter.not_positive", "not_positive", { by: -1 }]);
      }),

    "what may pass by itself says when to try again": () =>
      withDoor(async (bench) => {
        await bench.troupe.pause("counter", "a", "looked at");
        const answer = await post(bench, "/counter/a/add", `{"by":1}`);
        const text = await answer.text();
        equal([answer.status, answer.headers.get("retry-after"), text.includes("looked at")], [503, "1", false]);
      }),

    "the OpenAPI document names what is listed, with its schemas and refusals": () =>
      withDoor(
        (bench) => {
          const { paths } = bench.door.openapi() as { paths: Record<string, unknown> };
          // The key is what every key is, and what the type makes of it.
          const add = JSON.stringify(paths["/rpc/counter/{key}/add"]);
          equal(add.includes(`"minLength":1,"maxLength":40,"pattern"`), true);
          equal(Object.keys(paths), ["/rpc/counter/{key}/add", "/rpc/counter/{key}/watch"]);
          const text = JSON.stringify(paths);
          for (const part of [`"by":{"type":"number"}`, "not_positive", "Idempotency-Key", "text/event-stream"]) {
            equal([part, text.includes(part)], [part, true]);
          }
          return Promise.resolve();
        },
        { actors: [expose(Counter, { messages: ["add"] })] },
      ),

    "the client calls, knows its refusals, and sends one id for one call": () =>
      withDoor(async (bench) => {
        const client = connect<{ counter: typeof Counter }>(bench.url, { fetch: bench.fetch });
        const visits = client.ref("counter", "über/a b");
        equal(await visits.add({ by: 2 }), 2);
        equal(await visits.reset(), undefined);
        equal(await visits.value(), 0);
        const error = await failure(visits.add({ by: -1 }));
        equal(reasonOf(error, visits.add), "not_positive");
        const misfit = await failure(visits.add({ by: "x" as never }));
        equal(misfit instanceof CallError && [misfit.code, misfit.issues[0]?.path], ["invalid_input", "/by"]);
      }),

    "the client repeats what was lost on its way, and the command acts once": () =>
      withDoor(async (bench) => {
        let sent = 0;
        const losing = async (request: Request): Promise<Response> => {
          const response = await bench.fetch(request);
          // The first answer of each call is lost: the turn has been committed all the same.
          if (++sent > 10) return response;
          await response.body?.cancel();
          if (sent % 2 === 0) throw new TypeError("The line broke");
          return new Response("a proxy's own page", { status: 502 });
        };
        const client = connect(bench.url, { fetch: losing });
        const visits = client.ref(Counter, "a");
        const sums = await Promise.all(Array.from({ length: 10 }, () => visits.add({ by: 1 })));
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
        const visits = connect(bench.url, { fetch: silent, timeoutMs: 30 }).ref(Counter, "a");
        const late = await failure(visits.value());
        equal(late instanceof CallError && late.code, "deadline_exceeded");
        const given = await failure(visits.value(undefined, { signal: AbortSignal.abort() }));
        equal(given instanceof CallError && given.code, "cancelled");
      }),

    "the client watches states, and goes on where its line broke, without a repeat": () =>
      withDoor(
        async (bench) => {
          const client = connect(bench.url, { fetch: bench.fetch });
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

    "the client follows broadcasts over broken lines: each once, in order": () =>
      withDoor(async (bench) => {
        const client = connect(bench.url, { fetch: bench.fetch });
        const counter = bench.troupe.ref(Counter, "a");
        const states = client.watch(Counter, "a"); // its first state says that doors are open
        await states.next();
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
        await Promise.all([states.return(), follow.return()]);
      }),

    "a stream that nobody reads ends after its life, and makes room": () =>
      withDoor(
        async (bench) => {
          const watch = () => bench.fetch(new Request(`${bench.url}/counter/a/watch`));
          equal((await watch()).status, 200);
          equal((await watch()).status, 503);
          await until(async () => {
            const again = await watch();
            await again.body?.cancel();
            return again.status === 200;
          });
        },
        { maxStreams: 1, streamFor: "200ms" },
      ),

    "a stream that may not be, or has no room, is a problem": () =>
      withDoor(
        async (bench) => {
          const watch = (key: string, headers: Record<string, string> = {}) =>
            bench.fetch(new Request(`${bench.url}/counter/${key}/watch`, { headers }));
          equal(await codeOf(watch("k".repeat(41))), [422, "invalid_input"]);
          equal(await codeOf(watch("a", { "last-event-id": "not mine" })), [400, "event_id.malformed"]);
          const open = await watch("a");
          equal([open.status, open.headers.get("content-type")], [200, "text/event-stream"]);
          equal(await codeOf(watch("a")), [503, "streams.full"]);
          await open.body?.cancel();
          await until(async () => {
            const again = await watch("a");
            await again.body?.cancel();
            return again.status === 200;
          });
        },
        { maxStreams: 1, heartbeat: "20ms" },
      ),
  };
}
