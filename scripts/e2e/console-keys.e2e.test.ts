import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser, Page } from "playwright-core";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { CHROMIUM, openBrowser, openPage, overflows, violations } from "./browser.ts";
import { type Harness, openHarness } from "./harness.ts";

setDefaultTimeout(180_000);

const WITHIN_MS = 60_000;
const ADMIN = "tk_admin-of-the-console-test-0123456789abcdefgh";
const PAGES = [
  "/console",
  "/console/actors",
  "/console/events",
  "/console/brokers",
  "/console/dead-letters",
  "/console/workflows",
  "/console/services",
  "/console/traces",
  "/console/cluster",
  "/console/metrics",
  "/console/settings",
  "/console/chaos",
];

const where = CHROMIUM === undefined ? " (skipped: no Chromium on the PATH; apt-get install chromium)" : "";

describe.skipIf(CHROMIUM === undefined)(`the console with keys on${where}`, () => {
  let harness: Harness;
  let app: AppProcess;
  let base: string;
  let browser: Browser;
  let orderId: string;

  beforeAll(async () => {
    harness = await openHarness({ environment: { TROUPE_AUTH: "on", TROUPE_ADMIN_KEY: ADMIN } });
    app = await harness.start().ready();
    base = await app.listening();
    browser = await openBrowser();
    const { body } = await send("/orders", { amount: 500 });
    orderId = (body as { orderId: string }).orderId;
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await harness?.[Symbol.asyncDispose]();
  }, 60_000);

  const send = (path: string, body: unknown) => app.post(path, body, { authorization: `Bearer ${ADMIN}` });

  async function keyFor(...scopes: string[]): Promise<string> {
    const { key } = (await send("/keys", { name: "console", scopes })).body as { key: string };
    await eventually("the key is known", WITHIN_MS, async () => {
      const headers = { authorization: `Bearer ${key}` };
      return (await app.send("GET", "/search?q=x1", undefined, headers)).status === 200 || undefined;
    });
    return key;
  }

  /** Signs in with what the page asks for. */
  async function signIn(page: Page, key: string): Promise<void> {
    const dialog = page.getByRole("dialog", { name: "Sign in" });
    await dialog.getByLabel("API key").fill(key);
    await dialog.getByRole("button", { name: "Sign in" }).click();
  }

  test("the console asks for a key, says of a wrong one that it is, shows everything to an admin, and forgets the key on signing out", async () => {
    const { page } = await openPage(browser, base, { width: 1280, scheme: "light" });
    await page.goto("/console");
    await page.getByRole("dialog", { name: "Sign in" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await signIn(page, "tk_of_nobody");
    await page.getByText("unknown, revoked or expired").waitFor({ timeout: WITHIN_MS });
    await signIn(page, ADMIN);
    await page.getByRole("heading", { name: "The way of a message" }).waitFor({ timeout: WITHIN_MS });
    await page.goto("/console/actors");
    await page.getByRole("link", { name: "order", exact: true }).waitFor({ timeout: WITHIN_MS });
    await page.goto("/console/settings");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("dialog", { name: "Sign in" }).waitFor({ timeout: WITHIN_MS });
    await page.context().close();
  });

  test("a key for orders sees what it is good for: every other page says that it may not, and none breaks", async () => {
    const { page, complaints } = await openPage(browser, base, { width: 390, scheme: "dark" });
    await page.goto("/console/actors");
    await signIn(page, await keyFor("orders"));
    await page.getByText("This key may not see that").first().waitFor({ timeout: WITHIN_MS });
    const wrong: Record<string, readonly string[]> = {};
    for (const path of PAGES) {
      await page.goto(path);
      await page.locator("main h1").waitFor();
      await page.waitForFunction(() => document.querySelector(".skeleton") === null, undefined, { timeout: WITHIN_MS });
      // A refusal is an error of the network to the browser; nothing else may be one.
      const found = [
        ...complaints.splice(0).filter((text) => !/status of 40[134]/.test(text)),
        ...(await violations(page)),
        ...((await overflows(page)) ? ["scrolls sideways"] : []),
      ];
      if (found.length > 0) wrong[path] = found;
    }
    expect(wrong).toEqual({});

    await page.goto(`/console/search?q=${orderId}`);
    await page.getByText("This key may not see:").waitFor({ timeout: WITHIN_MS });
    expect(await page.locator("main section > header h2").allTextContents()).toEqual(["Order"]);
    await page.context().close();
  });
});
