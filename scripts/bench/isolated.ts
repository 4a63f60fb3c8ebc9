import { join } from "node:path";
import { testEnvironment } from "#infra/stack/for-tests.ts";
import type { ServerName } from "#infra/stack/types.ts";
import type { Measured } from "./measure.ts";
import { isProgress } from "./progress.ts";

const MAIN = join(import.meta.dirname, "isolated-main.ts");

/**
 * Measures in a process of its own, against this run's Postgres: what an earlier case left in the heap and in the
 * compiler's profiles would otherwise be part of the figure. `file` is a module beside this one; `name` an export of it
 * that takes `args` and answers a {@link Measured}.
 *
 * @throws when the process ends with anything but a result, with what it said.
 */
export function isolated(file: string, name: string, ...args: readonly unknown[]): Promise<Measured> {
  return isolatedWith<Measured>([], file, name, ...args);
}

/** As {@link isolated}, against more of this run's servers than Postgres, and for any result that JSON can carry. */
export async function isolatedWith<T>(
  servers: readonly ServerName[],
  file: string,
  name: string,
  ...args: readonly unknown[]
): Promise<T> {
  const child = Bun.spawn([process.execPath, MAIN, join(import.meta.dirname, file), name, JSON.stringify(args)], {
    env: { ...process.env, ...(await testEnvironment("postgres", ...servers)) },
    stderr: "pipe",
  });
  const [out, said] = await Promise.all([new Response(child.stdout).text(), progressOf(child.stderr)]);
  if ((await child.exited) !== 0) throw new Error(`Cannot measure ${name}: ${said.trim()}`);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as T;
}

/** Passes on what the process says of its progress. Resolves with the rest when it has ended. */
async function progressOf(stderr: ReadableStream<Uint8Array>): Promise<string> {
  let line = "";
  let rest = "";
  const take = (text: string): void => {
    if (isProgress(text)) process.stderr.write(`${text}\n`);
    else rest += `${text}\n`;
  };
  const decoder = new TextDecoder();
  for await (const chunk of stderr) {
    const lines = (line + decoder.decode(chunk, { stream: true })).split("\n");
    line = lines.pop() ?? "";
    lines.forEach(take);
  }
  take(line);
  return rest;
}
