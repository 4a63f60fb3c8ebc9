/**
 * What a door and its client must do on every host: one file of checks without a test runner, as the hosts have none in
 * common. Run in one process here, and over real connections by `door.test.ts`.
 */
import { equal, until } from "../testing/checks.ts";
import { actorSocketChecks } from "./actor-socket-conformance.ts";
import { batchChecks } from "./batch-conformance.ts";
import { clientChecks } from "./client-conformance.ts";
import { type Bench, Counter, doorsOf, type Serve } from "./door-bench.ts";
import { expose } from "./mod.ts";
import { socketChecks } from "./socket-conformance.ts";

/** The checks, by what they say. */
export function doorChecks(serve: Serve): Readonly<Record<string, () => Promise<void>>> {
  const withDoor = doorsOf(serve);
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

    "a stateless worker has no key, is asked for as such, and knows no ids": () =>
      withDoor(async (bench) => {
        const key = { "idempotency-key": "k1" };
        equal(await (await post(bench, "/sums/-/add", `{"a":1,"b":2}`, key)).json(), 3);
        equal(await (await post(bench, "/sums/-/add", `{"a":2,"b":2}`, key)).json(), 4);
        equal(await codeOf(post(bench, "/sums/-/add", `{"a":999,"b":2}`)), [409, "sums.too_much"]);
        equal(await codeOf(post(bench, "/sums/-/add", `{"a":1}`)), [422, "invalid_input"]);
        equal(await codeOf(post(bench, "/sums/main/add", `{"a":1,"b":2}`)), [422, "invalid_input"]);
        equal(await codeOf(post(bench, "/sums/-/constructor", `{}`)), [404, "message.not_found"]);
        equal(await codeOf(bench.fetch(new Request(`${bench.url}/sums/-/watch`))), [404, "message.not_found"]);
        const { paths } = bench.door.openapi() as { paths: Readonly<Record<string, unknown>> };
        equal(
          Object.keys(paths).filter((path) => path.includes("sums")),
          ["/rpc/sums/-/add"],
        );
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
          equal(Object.keys(paths), [
            "/rpc/counter/{key}/add",
            "/rpc/counter/{key}/watch",
            "/rpc/batch",
            "/rpc/socket",
          ]);
          const text = JSON.stringify(paths);
          for (const part of [`"by":{"type":"number"}`, "not_positive", "Idempotency-Key", "text/event-stream"]) {
            equal([part, text.includes(part)], [part, true]);
          }
          return Promise.resolve();
        },
        { actors: [expose(Counter, { messages: ["add"] })], workers: [] },
      ),

    "a stream that nobody reads ends after its life, and makes room": () =>
      withDoor(
        async (bench) => {
          const watch = () => bench.fetch(new Request(`${bench.url}/counter/a/watch`));
          const statuses = (await Promise.all([watch(), watch()])).map(({ status }) => status);
          equal(
            statuses.toSorted((a, b) => a - b),
            [200, 503],
          );
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

    ...clientChecks(withDoor),
    ...batchChecks(withDoor),
    ...socketChecks(withDoor),
    ...actorSocketChecks(withDoor),
  };
}
