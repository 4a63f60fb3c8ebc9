/** Several calls in one request. */
import { connect } from "../client/mod.ts";
import { equal } from "../testing/checks.ts";
import { type Bench, Counter, type WithDoor } from "./door-bench.ts";
import { expose } from "./mod.ts";

export function batchChecks(withDoor: WithDoor): Readonly<Record<string, () => Promise<void>>> {
  const post = ({ url, fetch }: Bench, calls: unknown): Promise<Response> =>
    fetch(
      new Request(`${url}/batch`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(calls),
      }),
    );
  const linesOf = async (response: Response): Promise<Record<string, unknown>[]> => {
    equal([response.status, response.headers.get("content-type")], [200, "application/x-ndjson"]);
    const lines = (await response.text()).split("\n").filter((line) => line !== "");
    return lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .toSorted((a, b) => Number(a["id"]) - Number(b["id"]));
  };

  return {
    "a batch answers each call by itself, and acts once when it comes again": () =>
      withDoor(
        async (bench) => {
          const calls = [
            { id: 1, call: ["counter", "a", "add"], input: { by: 2 }, key: "k" },
            { id: 2, call: ["counter", "a", "add"], input: { by: -2 } },
            { id: 3, call: ["counter", "a", "reset"] },
            { id: 4, call: ["hidden", "a", "open"] },
            { id: 5, call: ["counter", "b", "add"], input: { by: 1 }, key: "a b" },
          ];
          for (let i = 0; i < 2; i++) {
            const lines = await linesOf(await post(bench, calls));
            equal(
              lines.map(({ id, status, body, problem }) => [
                id,
                status,
                body ?? (problem as { code: string } | undefined)?.code ?? null,
              ]),
              [
                [1, 200, 2],
                [2, 409, "counter.not_positive"],
                [3, 404, "message.not_found"],
                [4, 404, "actor.not_found"],
                [5, 400, "idempotency.key_malformed"],
              ],
            );
          }
          equal(await bench.troupe.ref(Counter, "a").value(), 2);
        },
        { actors: [expose(Counter, { messages: ["add"] })] },
      ),

    "what is no batch is refused whole, and what is over its limit": () =>
      withDoor(
        async (bench) => {
          const call = (id: unknown) => ({ id, call: ["counter", "a", "add"], input: { by: 1 } });
          for (const calls of [
            [],
            {},
            null,
            [call(1), call(1)],
            [call("1")],
            [{ id: 1, call: ["counter", "a"] }],
            [{ id: 1, watch: ["counter", "a"] }],
            [{ ...call(1), key: 1 }],
            [1, 2, 3, 4].map(call),
          ]) {
            const answer = await post(bench, calls);
            const { code } = (await answer.json()) as { code: string };
            equal([JSON.stringify(calls), answer.status, code], [JSON.stringify(calls), 400, "batch.malformed"]);
          }
          equal(await bench.troupe.ref(Counter, "a").value(), 0);
          equal((await bench.fetch(new Request(`${bench.url}/batch`))).status, 405);
        },
        { maxBatch: 3 },
      ),

    "a door without batches has no place for them": () =>
      withDoor(async (bench) => equal((await post(bench, [])).status, 404), { maxBatch: 0 }),

    "calls that are made together are one request, and a slow one holds up no other": async () => {
      let slow: () => void = () => undefined;
      const held = new Promise<void>((resolve) => (slow = resolve));
      let requests = 0;
      await withDoor(
        async (bench) => {
          const counting = (request: Request): Promise<Response> => (requests++, bench.fetch(request));
          const visits = connect(bench.url, { fetch: counting, transport: "batch" }).ref(Counter, "a");
          const last = visits.add({ by: 100 });
          equal((await Promise.all(Array.from({ length: 20 }, () => visits.add({ by: 1 })))).length, 20);
          slow();
          equal([await last, requests], [120, 1]);
          equal([await visits.value(), requests], [120, 2]);
          await Promise.all(Array.from({ length: 150 }, () => visits.add({ by: 1 })));
          equal([await visits.value(), requests], [270, 5]);
        },
        {
          authorize: ({ input }) => ((input as { by?: number } | undefined)?.by === 100 ? held.then(() => true) : true),
        },
      );
    },
  };
}
