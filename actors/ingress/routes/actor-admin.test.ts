import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Troupe } from "#runtime";
import { createIngress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";

const Clerk = actor("clerk", {
  key: v.pipe(v.string(), v.regex(/^[a-z/]+$/)),
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] }),
  messages: ({ command, query }) => ({
    note: command({ in: v.object({ text: v.string() }), out: v.number() }, (c, { text }) => c.state.notes.push(text)),
    daily: command({}, (c) => c.timers.set("daily", { cron: "0 9 * * *", zone: "Europe/Berlin", send: "daily" })),
    hourly: command({}, (c) => c.timers.set("hourly", { every: "1h", send: "hourly" })),
    never: command({}, (c) => c.refuse("too_busy", { secret: "canary" })),
    explode: command({}, () => {
      throw new Error("canary");
    }),
    count: query({ out: v.number() }, (c) => c.state.notes.length),
  }),
});

let troupe: Troupe;
let app: { handle(request: Request): Promise<Response> };

beforeEach(async () => {
  troupe = await createTroupe({ actors: [Clerk], stores: { default: memory() }, recentTurns: 3 });
  app = createIngress(stubDeps({ troupe: () => troupe }));
});
afterEach(() => troupe.stop());

async function ask(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const init =
    body === undefined
      ? { method, headers }
      : { method, headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) };
  const response = await app.handle(new Request(`http://localhost${path}`, init));
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, body: answer, retryAfter: response.headers.get("retry-after") };
}

describe("POST /actors/:type/:key/:message", () => {
  test("gives the actor the body as input, and answers with the reply", async () => {
    expect(await ask("POST", "/actors/clerk/a/note", { text: "one" })).toMatchObject({
      status: 200,
      body: { reply: 1 },
    });
    expect(await ask("POST", "/actors/clerk/a/count")).toMatchObject({ status: 200, body: { reply: 1 } });
    expect(await ask("POST", "/actors/clerk/a/daily")).toMatchObject({ status: 200, body: { reply: null } });
  });

  test("takes effect once for one Idempotency-Key", async () => {
    const key = { "idempotency-key": "k" };
    await ask("POST", "/actors/clerk/a/note", { text: "one" }, key);
    expect((await ask("POST", "/actors/clerk/a/note", { text: "one" }, key)).body).toEqual({ reply: 1 });
    expect((await ask("POST", "/actors/clerk/a/note", { text: "two" }, key)).body["code"]).toBe(
      "idempotency.key_reused",
    );
  });

  test("answers 404 for types and messages that do not exist, the runtime's own among them", async () => {
    expect((await ask("POST", "/actors/nobody/a/note", {})).body["code"]).toBe("actor.not_found");
    expect((await ask("POST", "/actors/clerk/a/nothing")).body["code"]).toBe("message.not_found");
    expect((await ask("POST", "/actors/clerk/a/constructor")).status).toBe(404);
    for (const name of ["$pause", "%24pause", "$inspect", "a.b"])
      expect((await ask("POST", `/actors/clerk/a/${name}`)).status).toBe(404);
  });

  test("names every place of an input that does not fit, and passes on a refusal without its data", async () => {
    expect(await ask("POST", "/actors/clerk/a/note", { text: 1 })).toMatchObject({
      status: 422,
      body: { errors: [{ path: "/text" }] },
    });
    expect((await ask("POST", "/actors/clerk/A1/note", { text: "x" })).status).toBe(422);
    const refused = await ask("POST", "/actors/clerk/a/never");
    expect([refused.status, refused.body["code"]]).toEqual([409, "clerk.too_busy"]);
    const exploded = await ask("POST", "/actors/clerk/a/explode");
    expect([exploded.status, exploded.body["code"]]).toEqual([500, "internal"]);
    expect(JSON.stringify([refused, exploded])).not.toContain("canary");
  });
});

describe("pause, resume and reload", () => {
  test("a paused actor answers 503 with Retry-After, and goes on when it is resumed", async () => {
    expect(await ask("POST", "/actors/clerk/a/pause", { reason: "being looked at" })).toMatchObject({
      status: 200,
      body: { type: "clerk", key: "a" },
    });
    const refused = await ask("POST", "/actors/clerk/a/note", { text: "x" });
    expect([refused.status, refused.body["code"], refused.retryAfter]).toEqual([503, "paused", "1"]);
    expect((await ask("GET", "/actors/clerk/a")).body["paused"]).toMatchObject({ reason: "being looked at" });
    expect((await ask("POST", "/actors/clerk/a/count")).status).toBe(200);
    expect((await ask("POST", "/actors/clerk/a/resume")).status).toBe(200);
    expect((await ask("POST", "/actors/clerk/a/note", { text: "x" })).status).toBe(200);
  });

  test("need no body, and refuse one that does not fit", async () => {
    expect((await ask("POST", "/actors/clerk/a/pause")).status).toBe(200);
    expect((await ask("POST", "/actors/clerk/a/pause", { reason: "" })).status).toBe(422);
    expect((await ask("POST", "/actors/nobody/a/pause")).status).toBe(404);
  });

  test("a reload drops the actor from memory", async () => {
    await ask("POST", "/actors/clerk/a/note", { text: "x" });
    expect((await ask("GET", "/actors/clerk/a")).body["active"]).toBe(true);
    expect((await ask("POST", "/actors/clerk/a/reload")).status).toBe(200);
    expect((await ask("GET", "/actors/clerk/a")).body["active"]).toBe(false);
    expect((await ask("POST", "/actors/clerk/a/count")).body).toEqual({ reply: 1 });
  });
});

describe("GET /actors/:type/:key", () => {
  test("shows state, version, timers and the last turns, newest first", async () => {
    await ask("POST", "/actors/clerk/a%2Fb/note", { text: "one" }, { "idempotency-key": "k" });
    await ask("POST", "/actors/clerk/a%2Fb/daily");
    await ask("POST", "/actors/clerk/a%2Fb/hourly");
    await ask("POST", "/actors/clerk/a%2Fb/never");
    const { status, body } = await ask("GET", "/actors/clerk/a%2Fb");
    expect(status).toBe(200);
    expect(body).toMatchObject({ type: "clerk", key: "a/b", exists: true, version: 1, state: { notes: ["one"] } });
    expect(body["timers"]).toMatchObject([
      { name: "daily", send: "daily", cron: "0 9 * * *", zone: "Europe/Berlin", missed: "once" },
      { name: "hourly", everyMs: 3_600_000 },
    ]);
    expect(body["turns"]).toMatchObject([
      { message: "never", outcome: "refused", origin: "call", id: null },
      { message: "hourly", outcome: "ok" },
      { message: "daily", outcome: "ok" },
    ]);
  });

  test("answers 404 for an actor that was never there, and for types that are not", async () => {
    expect((await ask("GET", "/actors/clerk/b")).body["code"]).toBe("actor.not_found");
    expect((await ask("GET", "/actors/nobody/b")).status).toBe(404);
    expect((await ask("GET", "/actors/Clerk/b")).status).toBe(404);
  });
});
