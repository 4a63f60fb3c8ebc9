import { expect, test } from "bun:test";
import { systemClock } from "#runtime";

/** Whether a program that ends after setting the timer waits for it. */
function waitsFor(options: string): boolean {
  const program = `import { systemClock } from "#runtime"; systemClock.after(20, () => console.log("fired")${options});`;
  const child = Bun.spawnSync([process.execPath, "-e", program], { cwd: import.meta.dir });
  return child.stdout.toString().includes("fired");
}

test("systemClock.after() keeps the process alive for what is waited for, and for nothing else", () => {
  expect(waitsFor("")).toBe(false);
  expect(waitsFor(", true")).toBe(true);
});

test("systemClock.after() can be taken back", async () => {
  const fired: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = systemClock.after(1, () => fired.push("cancelled"));
  systemClock.after(2, resolve);
  cancel();
  await promise;
  expect(fired).toEqual([]);
});
