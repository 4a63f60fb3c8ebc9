import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "../testing/eventually.ts";
import type { LogLine } from "./container.ts";
import { LogBook } from "./log-book.ts";

const START = Date.UTC(2026, 0, 1);
const atOf = (n: number): string => new Date(START + n * 1_000).toISOString();

/** A book of one container that writes a line a second, `count` of them, long enough for several chunks. */
async function book(folder: string, count: number, maxBytes?: number): Promise<LogBook> {
  const engine = {
    async *events(signal: AbortSignal) {
      yield { kind: "resync" } as const;
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    list: async () => [{ id: "c1", service: "web", replica: 0, revision: "r", state: "running" }] as never,
    async *logs(): AsyncGenerator<LogLine> {
      for (let n = 0; n < count; n++) yield { at: atOf(n), stream: "stdout", text: `${n} é ${"x".repeat(200)}` };
    },
  };
  const made = new LogBook(engine, folder, maxBytes);
  await eventually("all lines are kept", 10_000, async () => {
    return (await numbers(made, { tail: 1 })).at(-1) === count - 1 || undefined;
  });
  return made;
}

async function numbers(of: LogBook, part: { since?: string; tail?: number } = {}): Promise<number[]> {
  const { signal } = new AbortController();
  const lines = await Array.fromAsync(of.read("web", { ...part, follow: false, signal }));
  return lines.map(({ text }) => Number.parseInt(text, 10));
}

const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, i) => from + i);

test("LogBook gives the newest lines, those since a time, and all of them, oldest first and each once", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-book-"));
  const kept = await book(folder, 2_000);
  try {
    expect(await numbers(kept)).toEqual(range(0, 2_000));
    expect(await numbers(kept, { tail: 5 })).toEqual(range(1_995, 2_000));
    expect(await numbers(kept, { tail: 900 })).toEqual(range(1_100, 2_000));
    expect(await numbers(kept, { since: atOf(1_990) })).toEqual(range(1_990, 2_000));
    expect(await numbers(kept, { since: atOf(1_000), tail: 3 })).toEqual(range(1_997, 2_000));
    expect(await numbers(kept, { since: atOf(5_000) })).toEqual([]);
  } finally {
    await kept.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

test("LogBook reads on in the file before, and skips half a line that a killed process left", async () => {
  const folder = await mkdtemp(join(tmpdir(), "troupe-book-"));
  const line = (n: number): string =>
    `${JSON.stringify({ at: atOf(n), stream: "stdout", text: String(n), containerId: "c1", replica: 0, revision: "r", level: "info" })}\n`;
  await Bun.write(join(folder, "web.1.log"), `${line(0)}${line(1)}{"at":"2026`);
  await Bun.write(join(folder, "web.log"), `${line(2)}${line(3)}`);
  const engine = { async *events() {}, list: async () => [], async *logs() {} };
  const kept = new LogBook(engine, folder);
  try {
    expect(await numbers(kept)).toEqual([0, 1, 2, 3]);
    expect(await numbers(kept, { tail: 3 })).toEqual([1, 2, 3]);
  } finally {
    await kept.stop();
    await rm(folder, { recursive: true, force: true });
  }
});
