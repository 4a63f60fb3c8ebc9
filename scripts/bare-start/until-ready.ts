/** One start of `bun run dev`, from the command to its closing line. */
import { setTimeout as delay } from "node:timers/promises";
import type { Machine } from "./machine.ts";

const WITHIN_MS = 900_000;
const PREPARED_WITHIN_MS = 120_000;

/** What a start took. */
export interface Measured {
  /** From the command to `ready`. */
  readonly ms: number;
  /** Of all its processes, the stop included: what it would take alone on one core, whatever else ran. */
  readonly processorMs: number;
}

/**
 * Undefined when it ends or takes too long before it says `ready`. Everything it prints is shown. Returns when it is down again: it is
 * stopped when `prepared` says that what the next start uses is there, or after two minutes, since nobody stops at once.
 */
export async function startUntilReady(
  machine: Machine,
  checkout: string,
  env: Readonly<Record<string, string>>,
  prepared: () => boolean,
): Promise<Measured | undefined> {
  const started = performance.now();
  const child = Bun.spawn([...machine.enter(checkout, [process.execPath, "run", "dev", "--infra", "native"])], {
    cwd: checkout,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  // The whole group, as Ctrl-C would reach it.
  const end = (): void => void process.kill(-child.pid, "SIGINT");
  const timer = setTimeout(end, WITHIN_MS);
  let ms: number | undefined;
  await Promise.all(
    [child.stdout, child.stderr].map(async (stream) => {
      for await (const line of linesOf(stream)) {
        console.log(`  ${line}`);
        if (!line.startsWith("ready ") || ms !== undefined) continue;
        ms = performance.now() - started;
        void untilPrepared(prepared).then(end);
      }
    }),
  );
  await child.exited;
  clearTimeout(timer);
  const micros = Number(child.resourceUsage()?.cpuTime.total ?? 0n);
  return ms === undefined ? undefined : { ms, processorMs: micros / 1000 };
}

async function untilPrepared(prepared: () => boolean): Promise<void> {
  const deadline = performance.now() + PREPARED_WITHIN_MS;
  while (!prepared() && performance.now() < deadline) await delay(200);
}

async function* linesOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let rest = "";
  const decoder = new TextDecoder();
  for await (const chunk of stream) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
  if (rest !== "") yield rest;
}
