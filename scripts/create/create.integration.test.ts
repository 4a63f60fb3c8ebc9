import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { run } from "#infra/stack/command.ts";
import { startKillable } from "#infra/testing/killable.ts";

setDefaultTimeout(300_000);

const CREATE = join(import.meta.dir, "..", "create.ts");
const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const ended: (() => Promise<unknown>)[] = [];
let place = "";
let project = "";

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "troupe-create-"));
  project = join(place, "My Service");
  expect(await run(process.execPath, [CREATE, project])).toContain("bun run dev");
});
afterAll(async () => {
  for (const end of ended.toReversed()) await end();
  rmSync(place, { recursive: true, force: true });
});

async function start(port: number): Promise<{ readonly url: string; readonly port: number; kill(): Promise<void> }> {
  // As it is deployed: in development the page is loaded anew once its server is back, with what it had still to send.
  const env = { ...process.env, PORT: String(port), NODE_ENV: "production" };
  const { said, kill } = await startKillable(["src/server.ts"], { cwd: project, env });
  ended.push(kill);
  const url = /http:\S+/u.exec(said)?.[0] ?? "";
  return { url, port: Number(new URL(url).port), kill };
}

test("a new project passes its own tests and types at once", async () => {
  expect(await run(process.execPath, ["run", "types"], { cwd: project })).not.toContain("error");
  expect(await run(process.execPath, ["test"], { cwd: project })).toContain("3 pass");
});

test.skipIf(CHROMIUM === undefined)(
  "two tabs of its page see each other's clicks, and a server that is killed meanwhile loses and doubles none",
  async () => {
    const server = await start(0);
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"] });
    ended.push(() => browser.close());
    const [one, two] = [await browser.newPage(), await browser.newPage()];
    const shows = (tab: Page, count: number): Promise<void> =>
      tab.locator("button", { hasText: new RegExp(`^${count}$`, "u") }).waitFor({ timeout: 60_000 });
    for (const tab of [one, two]) {
      await tab.goto(server.url);
      await shows(tab, 0);
    }
    await one.locator("button").click();
    await shows(two, 1);
    await two.locator("button").click();
    await shows(one, 2);
    await server.kill();
    for (let i = 0; i < 3; i++) await one.locator("button").click();
    await start(server.port);
    for (const tab of [one, two]) await shows(tab, 5);
  },
);

test("a folder that holds something is left as it is", () => {
  const full = mkdtempSync(join(place, "full-"));
  writeFileSync(join(full, "mine.txt"), "mine");
  const { exitCode, stderr } = Bun.spawnSync([process.execPath, CREATE, full]);
  expect([exitCode, stderr.toString()]).toEqual([1, `Cannot make a project in ${full} as it is not empty\n`]);
  expect(Bun.spawnSync([process.execPath, CREATE]).exitCode).toBe(2);
});
