import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createTroupe, memory, type Troupe } from "#runtime";
import { connect, type Client } from "../client/mod.ts";
import { Counter } from "../door/door-bench.ts";
import { actorHandler, type ActorHandler } from "../door/mod.ts";
import { type ActorSnapshot, ActorView, viewOf } from "./actor-view.ts";

let troupe: Troupe;
let door: ActorHandler;
let client: Client;
let held: Promise<void> | undefined;

beforeEach(async () => {
  held = undefined;
  troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  door = actorHandler(troupe, { actors: [Counter], authorize: () => true });
  client = connect("http://door", {
    async fetch(request) {
      if (request.method === "POST") await held;
      return door(request);
    },
  });
});
afterEach(async () => {
  door.close();
  await troupe.stop();
});

const plus = (state: unknown): unknown => ({ count: (state as { count: number }).count + 1 });
const countOf = ({ state }: ActorSnapshot): number | undefined => (state as { count: number } | undefined)?.count;

/** Every count that is shown, until `last` is. */
async function shownUntil(view: ActorView, last: (snapshot: ActorSnapshot) => boolean): Promise<number[]> {
  const shown: number[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => {
    const snapshot = view.snapshot();
    const count = countOf(snapshot);
    if (count !== undefined && shown.at(-1) !== count) shown.push(count);
    if (last(snapshot)) resolve();
  };
  const leave = view.subscribe(look);
  look();
  await promise;
  leave();
  return shown;
}

describe("ActorView", () => {
  test("shows each state, whoever made it", async () => {
    const view = new ActorView(client, Counter, "a");
    const shown = shownUntil(view, (snapshot) => countOf(snapshot) === 3);
    for (let i = 0; i < 3; i++) {
      while (countOf(view.snapshot()) !== i) await new Promise((resolve) => setTimeout(resolve, 1));
      await troupe.ref(Counter, "a").add({ by: 1 });
    }
    expect(await shown).toEqual([0, 1, 2, 3]);
  });

  test("shows a change at once, and never twice", async () => {
    const view = new ActorView(client, Counter, "a");
    await shownUntil(view, ({ status }) => status === "live");
    const shown = shownUntil(view, ({ version, pending }) => version === 3 && pending === 0);
    const calls = [1, 2, 3].map(() => view.call("add", { by: 1 }, plus));
    expect([countOf(view.snapshot()), view.snapshot().pending]).toEqual([3, 3]);
    await Promise.all(calls);
    expect(await shown).toEqual([0, 1, 2, 3]);
  });

  test("takes a change back when the actor refuses it, and says why", async () => {
    const view = new ActorView(client, Counter, "a");
    await shownUntil(view, ({ status }) => status === "live");
    const call = view.call("add", { by: -1 }, plus).catch(() => undefined);
    expect(countOf(view.snapshot())).toBe(1);
    await call;
    expect([countOf(view.snapshot()), view.snapshot().error?.code, view.snapshot().pending]).toEqual([0, "refused", 0]);
  });

  test("holds back what the server says while a change is under way", async () => {
    const view = new ActorView(client, Counter, "a");
    await shownUntil(view, ({ status }) => status === "live");
    const gate = Promise.withResolvers<void>();
    held = gate.promise;
    const leave = view.subscribe(() => undefined);
    const call = view.call("add", { by: 1 }, plus);
    await troupe.ref(Counter, "a").add({ by: 10 });
    expect(countOf(view.snapshot())).toBe(1);
    gate.resolve();
    await call;
    await shownUntil(view, (snapshot) => countOf(snapshot) === 11);
    leave();
  });

  test("says that it may not be shown, and tries no more", async () => {
    const other = connect("http://door", {
      fetch: actorHandler(troupe, { actors: [Counter], authorize: () => false }),
    });
    const view = new ActorView(other, Counter, "a");
    await shownUntil(view, ({ status }) => status === "failed");
    expect(view.snapshot().error?.code).toBe("forbidden");
  });
});

describe("ActorView.ready()", () => {
  test("is one promise for all who wait, and its stream goes on for who is shown next", async () => {
    let streams = 0;
    const counting = connect("http://door", {
      fetch: (request) => (request.method === "GET" && streams++, door(request)),
    });
    const view = new ActorView(counting, Counter, "a");
    const first = view.ready();
    expect(view.ready()).toBe(first);
    await first;
    expect([view.snapshot().status, countOf(view.snapshot())]).toEqual(["live", 0]);
    const shown = shownUntil(view, (snapshot) => countOf(snapshot) === 1);
    await troupe.ref(Counter, "a").add({ by: 1 });
    expect(await shown).toEqual([0, 1]);
    expect(streams).toBe(1);
  });

  test("rejects with the reason where there will be no state", async () => {
    const other = connect("http://door", {
      fetch: actorHandler(troupe, { actors: [Counter], authorize: () => false }),
    });
    const view = new ActorView(other, Counter, "a");
    expect(await view.ready().catch((error: unknown) => (error as { code: string }).code)).toBe("forbidden");
  });
});

test("all who look at one actor share one view", () => {
  expect(viewOf(client, Counter, "a")).toBe(viewOf(client, Counter, "a"));
  expect(viewOf(client, Counter, "a")).not.toBe(viewOf(client, Counter, "b"));
});
