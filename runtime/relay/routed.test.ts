import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  actor,
  createTroupe,
  type DeadLetter,
  memory,
  type OutboxRecord,
  type PublishResult,
  type Sink,
} from "#runtime";
import { until } from "../testing/until.ts";

const Post = actor("post", {
  state: v.object({}),
  initial: () => ({}),
  messages: ({ command }) => ({
    publish: command(
      { in: v.object({ target: v.string(), data: v.string() }), out: v.nullable(v.string()) },
      (c, input) => {
        c.publish({ type: "post.sent", ...input });
        return c.traceparent ?? null;
      },
    ),
  }),
});

function place(
  refuses: ReadonlySet<string> = new Set(),
  stores?: readonly string[],
): Sink & { readonly taken: OutboxRecord[] } {
  const taken: OutboxRecord[] = [];
  return {
    name: "place",
    accepts: "routed",
    ...(stores === undefined ? {} : { stores }),
    lane: { kind: "keyed", maxInFlight: 4 },
    taken,
    async publish([record]) {
      if (record === undefined) return [];
      if (refuses.has(record.body))
        return [{ kind: "refused", detail: "no such place", reason: "route" } satisfies PublishResult];
      taken.push(record);
      return [{ kind: "acked" }];
    },
    check: async () => undefined,
    close: async () => undefined,
  };
}

test("c.publish() hands data to sinks of kind routed, in order per target; c.traceparent is the caller's", async () => {
  const sink = place();
  await using troupe = await createTroupe({ actors: [Post], stores: { default: memory() }, sinks: [sink] });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  for (const data of ["1", "2", "3"])
    expect(await troupe.ref(Post, "a").publish({ target: "x", data }, { traceparent })).toBe(traceparent);
  await until(
    () => sink.taken.length,
    (count) => count === 3,
  );
  expect(sink.taken.map(({ body, target, name }) => [name, target, JSON.parse(body)])).toEqual(
    ["1", "2", "3"].map((data) => ["post.sent", "x", data]),
  );
});

test("a sink says by which reason a record it refuses becomes a dead letter, and takes it when it is replayed", async () => {
  const refuses = new Set(['"1"']);
  const sink = place(refuses);
  await using troupe = await createTroupe({ actors: [Post], stores: { default: memory() }, sinks: [sink] });
  await troupe.ref(Post, "a").publish({ target: "x", data: "1" });
  await until(
    async () => (await troupe.deadLetters.list()).items.length,
    (count) => count === 1,
  );
  const [letter] = (await troupe.deadLetters.list({ reason: "route", type: "post.sent" })).items;
  refuses.clear();
  expect(await troupe.deadLetters.replay(letter?.id ?? "")).toEqual({ replayed: [letter?.id ?? ""], failed: [] });
  expect(sink.taken.length).toBe(1);
});

test("a sink that names its stores gets nothing from others", async () => {
  const [mine, others] = [place(new Set(), ["posts"]), { ...place(new Set(), ["elsewhere"]), name: "others" }];
  await using troupe = await createTroupe({
    actors: [Post],
    stores: { default: memory("posts") },
    sinks: [mine, others],
  });
  await troupe.ref(Post, "a").publish({ target: "x", data: "1" });
  await until(
    () => mine.taken.length,
    (count) => count === 1,
  );
  expect(troupe.status().sinks.map(({ name }) => name)).not.toContain("others");
});

test("deadLetters.record() keeps a letter once, in the store of its actor type", async () => {
  await using troupe = await createTroupe({ actors: [Post], stores: { default: memory() } });
  const letter: DeadLetter = {
    id: "l1",
    reason: "schema",
    detail: "x",
    target: "post/a",
    attempts: 1,
    record: "{}",
    at: 1,
  };
  await troupe.deadLetters.record("post", letter);
  await troupe.deadLetters.record("post", { ...letter, detail: "y" });
  expect((await troupe.deadLetters.list()).items).toMatchObject([{ id: "l1", detail: "x" }]);
  expect(troupe.deadLetters.record("nobody", letter)).rejects.toMatchObject({ code: "unknown_actor" });
});
