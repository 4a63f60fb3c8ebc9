import { expect, test } from "bun:test";
import { connect } from "troupe/client";
import type { Counter } from "./counter.ts";
import { serve } from "./server.ts";

test("two clients see each other's clicks", async () => {
  const { url, stop } = await serve(0, ":memory:");
  const [one, two] = [1, 2].map(() =>
    connect<{ counter: typeof Counter }>(`${url}/actors`, { transport: "websocket" }),
  );
  const seen: number[] = [];
  for await (const { state } of one!.watch("counter", "visits")) {
    seen.push(state.count);
    if (state.count === 2) break;
    await two!.ref("counter", "visits").add({ by: 1 });
  }
  expect(seen).toEqual([0, 1, 2]);
  one!.close();
  two!.close();
  await stop();
});
