import { expect, setSystemTime, test } from "bun:test";
import { memoryTopics, silentLog } from "#runtime";
import type { RouteTable } from "../../service/messages.ts";
import { RouteCache } from "./route-cache.ts";

const TABLE: RouteTable = {
  revision: "r",
  share: null,
  asleep: false,
  desired: 1,
  scaled: false,
  routed: true,
  replicas: [{ containerId: "c", host: "a", revision: "r", port: 1 }],
};

test("RouteCache.get() gives the table it has while the service cannot be asked, and no failure goes uncaught", async () => {
  let away = false;
  const uncaught: unknown[] = [];
  const note = (error: unknown): void => void uncaught.push(error);
  process.on("unhandledRejection", note);
  const routes = async (): Promise<RouteTable> => {
    if (away) throw new Error("its owner was killed");
    return TABLE;
  };
  const topics = memoryTopics();
  const cache = new RouteCache({
    troupe: () => ({ ref: () => ({ routes }) }) as never,
    topics: () => topics,
    changed: () => undefined,
    log: silentLog,
  });
  try {
    expect(await cache.get("web")).toEqual(TABLE);
    away = true;
    setSystemTime(Date.now() + 5_000);
    expect(await cache.get("web")).toEqual(TABLE);
    await new Promise((resolve) => setImmediate(resolve));
    expect(uncaught).toEqual([]);
  } finally {
    setSystemTime();
    process.off("unhandledRejection", note);
    cache.stop();
  }
});
