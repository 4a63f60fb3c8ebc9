import { join } from "node:path";
import { testServer } from "#infra/stack/for-tests.ts";
import type { Measured } from "./measure.ts";

const MAIN = join(import.meta.dirname, "isolated-main.ts");

/**
 * Measures in a process of its own, against this run's Postgres: what an earlier case left in the heap and in the
 * compiler's profiles would otherwise be part of the figure. `file` is a module beside this one; `name` an export of it
 * that takes `args` and answers a {@link Measured}.
 *
 * @throws when the process ends with anything but a result, with what it said.
 */
export async function isolated(file: string, name: string, ...args: readonly unknown[]): Promise<Measured> {
  const child = Bun.spawn([process.execPath, MAIN, join(import.meta.dirname, file), name, JSON.stringify(args)], {
    env: { ...process.env, DATABASE_URL: await testServer("postgres") },
    stderr: "pipe",
  });
  const [out, said] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  if ((await child.exited) !== 0) throw new Error(`Cannot measure ${name}: ${said.trim()}`);
  return JSON.parse(out.trim().split("\n").at(-1) ?? "") as Measured;
}
