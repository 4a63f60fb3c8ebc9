import { expect, test } from "bun:test";
import { memory } from "../memory/memory-store.ts";
import { replayConformance } from "../testing/replay-conformance.ts";

replayConformance(
  "memory",
  async () => {
    const shared = memory();
    return { store: () => shared, [Symbol.asyncDispose]: async () => undefined };
  },
  { test, expect },
);
