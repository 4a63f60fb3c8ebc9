import { expect, setDefaultTimeout, test } from "bun:test";
import { untilReady } from "./readiness.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const quiet = { signal: AbortSignal.timeout(10_000), stillWaiting: (): void => undefined };

function app(answers: readonly (() => Response)[]): { url: string } & Disposable {
  let asked = 0;
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () => (answers[Math.min(asked++, answers.length - 1)] as () => Response)(),
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => void server.stop(true) };
}

const down =
  (...names: string[]) =>
  (): Response =>
    Response.json(
      {
        status: "unavailable",
        components: [{ name: "postgres", status: "ok" }, ...names.map((name) => ({ name, status: "down" }))],
      },
      { status: 503 },
    );

test("untilReady() waits until the app answers 200", async () => {
  using server = app([down("worker"), down("worker"), () => Response.json({ status: "ok", components: [] })]);
  await untilReady(server.url, new Set(), quiet);
});

test("untilReady() takes a 503 whose only failures are servers known to be missing", async () => {
  using server = app([down("kafka")]);
  await untilReady(server.url, new Set(["kafka"]), quiet);
});

test("untilReady() keeps waiting while anything else fails, and ends with its signal", async () => {
  using server = app([down("kafka", "worker")]);
  const waiting = untilReady(server.url, new Set(["kafka"]), { ...quiet, signal: AbortSignal.timeout(300) });
  await expect(waiting).rejects.toThrow();
});
