import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type Page } from "playwright-core";
import { startKillable } from "../testing/killable.ts";

setDefaultTimeout(180_000);

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find(existsSync);
const folder = mkdtempSync(join(tmpdir(), "troupe-tabs-"));
const ended: (() => Promise<unknown>)[] = [];

afterAll(async () => {
  for (const end of ended.toReversed()) await end();
  rmSync(folder, { recursive: true, force: true });
});

async function startServer(port: number, script: string): Promise<{ port: number; kill(): Promise<void> }> {
  const fixture = join(import.meta.dir, "../door/counter-process.fixture.ts");
  const { said, kill } = await startKillable([fixture, join(folder, "store.db"), String(port), script]);
  ended.push(kill);
  return { port: Number(said), kill };
}

const shows = (tab: Page, count: number, pending = 0): Promise<void> =>
  tab.locator(`button[title="${pending}"]`, { hasText: new RegExp(`^${count}$`, "u") }).waitFor({ timeout: 60_000 });

test.skipIf(CHROMIUM === undefined)(
  "two tabs see each other's clicks, and a server that is killed meanwhile loses and doubles none",
  async () => {
    const built = await Bun.build({
      entrypoints: [join(import.meta.dir, "counter-page.fixture.ts")],
      target: "browser",
      minify: true,
      outdir: folder,
      naming: "page.js",
    });
    expect(built.success).toBe(true);
    const script = join(folder, "page.js");
    expect(await Bun.file(script).text()).not.toMatch(/safeParse|partition/u);

    const server = await startServer(0, script);
    const browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: ["--no-sandbox"] });
    ended.push(() => browser.close());
    const [one, two] = [await browser.newPage(), await browser.newPage()];
    for (const tab of [one, two]) {
      let held = true;
      await tab.route("**/watch", async (route) => {
        while (held) await new Promise((resolve) => setTimeout(resolve, 5));
        await route.continue();
      });
      await tab.goto(`http://127.0.0.1:${server.port}/`);
      await tab.locator("i", { hasText: "waits" }).waitFor(); // suspended until there is a state
      held = false;
      await shows(tab, 0);
    }

    await one.locator("button").click();
    await shows(two, 1);
    await two.locator("button").click();
    await shows(one, 2);
    // A tab follows the topic from some moment on: until then its clicks are not among what it hears.
    let clicks = 2;
    for (const tab of [one, two]) {
      while ((await tab.locator("output").textContent()) !== "1 1") {
        await one.locator("button").click();
        await shows(two, ++clicks);
      }
    }
    await shows(one, clicks);

    await server.kill();
    for (let i = 0; i < 3; i++) await one.locator("button").click();
    await shows(one, clicks + 3, 3); // shown before it is durable
    await shows(two, clicks);
    await startServer(server.port, script);
    await shows(one, clicks + 3);
    await shows(two, clicks + 3);
  },
);
