import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { signalOne } from "#infra/stack/process-mark.ts";
import { eventually, temporaryFolder } from "#infra/stack/testing.ts";
import { AppProcess } from "./app-process.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("AppProcess starts a killed app again, says so, and lets it drain at the end", async () => {
  using folder = temporaryFolder();
  const script = join(folder.path, "app.ts");
  writeFileSync(
    script,
    `process.on("SIGTERM", () => { console.log(JSON.stringify({ level: "info", message: "drained" })); process.exit(0); });
     console.log(JSON.stringify({ level: "info", message: "up", pid: process.pid }));
     setInterval(() => {}, 1000);`,
  );
  const said: string[] = [];
  const app = new AppProcess({
    name: "app",
    script,
    env: process.env,
    logFile: join(folder.path, "app.log"),
    say: (line) => said.push(line),
    changed: () => undefined,
  });
  const ups = (): number => said.filter((line) => line === "app  info   up").length;
  app.start();
  await eventually(() => (ups() === 1 ? true : undefined));
  const first = app.mark;
  if (first !== undefined) signalOne(first, "SIGKILL");
  await eventually(() => (ups() === 2 ? true : undefined));
  expect(said).toContain("app ended (SIGKILL), starting it again");
  expect(app.mark?.pid).not.toBe(first?.pid);
  await app.stop();
  expect(app.mark).toBeUndefined();
  expect(said.at(-1)).toBe("app  info   drained");
});
