/** One start of `bun run dev`, from the command to its closing line. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Machine } from "./machine.ts";

const WITHIN_MS = 900_000;

/** Milliseconds until it says `ready`; undefined when it ends or takes too long. Everything it prints is shown. Returns when it is down again. */
export async function startUntilReady(
  machine: Machine,
  checkout: string,
  env: Readonly<Record<string, string>>,
): Promise<number | undefined> {
  const command = machine.enter(checkout, [process.execPath, "run", "dev", "--infra", "native"]);
  const [program = "", ...args] = command;
  const started = performance.now();
  const child = spawn(program, args, {
    cwd: checkout,
    env: { ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const end = (): void => {
    // The whole group, as Ctrl-C would reach it.
    if (child.pid !== undefined) process.kill(-child.pid, "SIGINT");
  };
  const timer = setTimeout(end, WITHIN_MS);
  let ready: number | undefined;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on("line", (line) => {
      console.log(`  ${line}`);
      if (!line.startsWith("ready ") || ready !== undefined) return;
      ready = performance.now() - started;
      end();
    });
  }
  await once(child, "close");
  clearTimeout(timer);
  return ready;
}
