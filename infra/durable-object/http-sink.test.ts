import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type OutboxRecord } from "#runtime";
import { httpSink } from "./http-sink.ts";

const Bell = actor("bell", {
  state: v.object({ rung: v.number() }),
  initial: () => ({ rung: 0 }),
  emits: { "bell.rung.v1": v.object({ nth: v.number() }) },
  messages: ({ command }) => ({ ring: command({}, (c) => c.emit("bell.rung.v1", { nth: ++c.state.rung })) }),
});

test("events arrive in order and once each is taken, over answers that say later and lines that break", async () => {
  const taken: number[] = [];
  let asked = 0;
  const done = Promise.withResolvers<void>();
  const sink = httpSink({
    url: "http://gateway/events",
    auth: "tk",
    async fetch(request) {
      asked++;
      expect([request.headers.get("authorization"), request.headers.get("content-type")]).toEqual([
        "Bearer tk",
        "application/cloudevents+json",
      ]);
      if (asked === 1) throw new TypeError("The line broke");
      if (asked === 2) return new Response("", { status: 429 });
      if (asked === 3) return new Response("", { status: 503 });
      const { data, type } = (await request.json()) as { type: string; data: { nth: number } };
      expect(type).toBe("bell.rung.v1");
      if (data.nth === 2) return new Response("no such event", { status: 422 });
      taken.push(data.nth);
      if (data.nth === 4) done.resolve();
      return new Response("", { status: 202 });
    },
  });
  const troupe = await createTroupe({ actors: [Bell], stores: { default: memory() }, sinks: [sink] });
  for (let i = 0; i < 4; i++) await troupe.ref(Bell, "b").ring();
  await done.promise;
  expect(taken).toEqual([1, 3, 4]);
  // What is refused for what it is holds up nothing, and can be looked at.
  while ((await troupe.deadLetters.list()).items.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  const { items } = await troupe.deadLetters.list();
  expect(items.map(({ detail }) => detail)).toEqual(["422 no such event"]);
  await troupe.stop();
});

test("a sink that cannot be reached says so when it is asked", async () => {
  const sink = (status: number) =>
    httpSink({ url: "http://gateway/events", fetch: () => Promise.resolve(new Response(null, { status })) });
  expect(await sink(204).check()).toBeUndefined();
  expect(await sink(405).check()).toBeUndefined();
  await expect(sink(502).check()).rejects.toThrow("502");
  expect(
    await sink(302)
      .publish([{ id: "e" } as unknown as OutboxRecord], 1)
      .catch(() => "again"),
  ).toBe("again");
});
