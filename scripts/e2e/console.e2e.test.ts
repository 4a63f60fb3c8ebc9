import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { eventually } from "#infra/testing/eventually.ts";
import { CHROMIUM, openBrowser, openPage, overflows, settled, type View, violations } from "./browser.ts";
import { ConsoleSystem } from "./console-system.ts";
import { place } from "./shop.ts";

setDefaultTimeout(300_000);

const VIEWS: readonly View[] = [
  { width: 1280, scheme: "light" },
  { width: 390, scheme: "dark" },
  { width: 1280, scheme: "dark" },
  { width: 390, scheme: "light" },
];
const WIDE: View = { width: 1280, scheme: "light" };
const WITHIN_MS = 60_000;
/** Where pictures of every page go, for people to look at. Default: none are made. */
const PICTURES = process.env["TROUPE_SCREENSHOTS"];

const where = CHROMIUM === undefined ? " (skipped: no Chromium on the PATH; apt-get install chromium)" : "";

describe.skipIf(CHROMIUM === undefined)(`the console in a browser${where}`, () => {
  let system: ConsoleSystem;
  let browser: Browser;

  beforeAll(async () => {
    [system, browser] = await Promise.all([ConsoleSystem.open(), openBrowser()]);
  }, 300_000);
  afterAll(async () => {
    await browser?.close();
    await system?.[Symbol.asyncDispose]();
  }, 60_000);

  const pages = (): readonly string[] => {
    const { delivered, failed, letterId, traceId } = system.sights;
    return [
      "/console",
      "/console/actors",
      "/console/actors/order",
      `/console/actors/order/${delivered}`,
      "/console/events",
      "/console/brokers",
      "/console/dead-letters",
      `/console/dead-letters/${encodeURIComponent(letterId)}`,
      "/console/workflows",
      `/console/workflows/${encodeURIComponent(`fulfil-order/${failed}`)}`,
      `/console/workflows/${encodeURIComponent("reconcile-service/web")}`,
      "/console/services",
      "/console/services/web",
      "/console/services/broken",
      "/console/config",
      "/console/traces",
      `/console/traces/${traceId}`,
      "/console/cluster",
      "/console/metrics",
      "/console/settings",
      "/console/chaos",
      "/console/search",
      `/console/search?q=${failed}`,
    ];
  };

  for (const view of VIEWS)
    test(`every page of the console is clean at ${view.width} pixels, ${view.scheme}: no error, no other host, nothing against WCAG AA, nothing wider than the window`, async () => {
      const { page, complaints } = await openPage(browser, system.base, view);
      const wrong: Record<string, readonly string[]> = {};
      for (const path of pages()) {
        await page.goto(path);
        await settled(page);
        await picture(page, path, view);
        const found = [...complaints.splice(0), ...(await violations(page))];
        if (await overflows(page)) found.push("scrolls sideways");
        if (found.length > 0) wrong[path] = found;
      }
      expect(wrong).toEqual({});
      await page.context().close();
    });

  test("somebody who sees the console for the first time finds why an order failed in three clicks", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    const { failed } = system.sights;
    let clicks = 0;
    const click = async (name: string | RegExp, role: "button" | "option" | "link"): Promise<void> => {
      await page.getByRole(role, { name }).first().click();
      clicks++;
    };
    await page.goto("/console");
    await settled(page);
    await click(/^Search/, "button");
    await page.keyboard.type(failed);
    const found = page.getByRole("option", { name: new RegExp(`Order of bob.*${failed}`) });
    await found.getByText("payment declined").waitFor({ timeout: WITHIN_MS }); // the cause, beside the order
    await click(`Everything about ${failed}`, "option");
    await page.waitForURL(`**/console/search?q=${failed}`);
    const wrong = page.getByRole("region", { name: "What went wrong" });
    await wrong.getByText("payment declined").waitFor();
    const kinds = await page.locator("main section > header h2").allTextContents();
    for (const kind of [/^Order/, /^Workflow/, /^Trace/, /^Actor/, /^Event/])
      expect([String(kind), kinds.some((one) => kind.test(one))]).toEqual([String(kind), true]);
    await click(/fulfilOrder/, "link");
    await page.waitForURL("**/console/workflows/**");
    await page.getByText("Why: payment declined").waitFor();
    expect(clicks).toBeLessThanOrEqual(3);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a part of a page that the browser could not load is tried again, and the page is whole", async () => {
    const { page } = await openPage(browser, system.base, WIDE);
    let refused = 0;
    await page.route(/\/assets\/chart-.*\.js$/, (route) =>
      refused++ === 0 ? route.abort("internetdisconnected") : route.continue(),
    );
    await page.goto("/console/metrics");
    await page.locator("main canvas").first().waitFor();
    expect(refused).toBeGreaterThan(1);
    await page.context().close();
  });

  test("the palette leads from an order's id to its workflow by keys alone, and ? lists the keys", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto("/console");
    await settled(page);
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).getByText("show this list").waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("/");
    await page.keyboard.type(system.sights.delivered);
    await page.getByRole("option", { name: /fulfilOrder/ }).waitFor({ timeout: WITHIN_MS });
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/console/workflows/**");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  for (const broker of ["nats", "kafka", "rabbitmq", "redis"])
    test(`what passes ${broker} is followed live, one message is shown whole, and leads to everything about its key`, async () => {
      const { page, complaints } = await openPage(browser, system.base, WIDE);
      await page.goto(`/console/brokers?broker=${broker}`);
      await settled(page);
      await page.getByRole("status").filter({ hasText: "following" }).waitFor();
      const orderId = await eventually("an order passes", WITHIN_MS, async () => {
        const id = await place(system.app, "TEA-1", 1, { customerId: "live" });
        const row = page.locator(".tail-row", { hasText: id }).filter({ hasText: "order.placed.v1" });
        return (await row.waitFor({ timeout: 5_000 }).then(
          () => true,
          () => false,
        ))
          ? id
          : undefined;
      });
      await page.getByLabel("Messages that hold").fill(`order.placed.v1`);
      await page.locator(".tail-row", { hasText: orderId }).first().click();
      const whole = page.getByRole("region", { name: "The message" });
      await whole.getByText('"specversion"').waitFor();
      await page.getByText("paused while you look").waitFor();
      await whole.getByRole("link", { name: "Everything about" }).click();
      await page.waitForURL(`**/console/search?q=${orderId}`);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

  test("an actor is found among those of its type, sent a message by the form of its schema, and its journal tells of it", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto("/console/actors/stock");
    await page.getByRole("region", { name: "Instances" }).getByRole("link", { name: "POT-1" }).click();
    await page.getByLabel("Message", { exact: true }).selectOption("refill");
    await page.getByLabel("quantity").fill("7");
    await page.getByRole("button", { name: "Send refill" }).click();
    await page.getByRole("region", { name: "Reply" }).getByText('"onHand"').waitFor({ timeout: WITHIN_MS });
    const journal = page.getByRole("region", { name: "Journal" });
    await journal.getByText("stock.refilled.v1").nth(1).click({ timeout: WITHIN_MS });
    await journal.getByText('"quantity": 7').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a dead letter shows where its data does not fit the schema", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto(`/console/dead-letters/${encodeURIComponent(system.sights.letterId)}`);
    const marked = page.getByRole("region", { name: "Where it does not fit" }).locator('li[data-wrong="true"]');
    await marked.getByText('must have the member "n"').waitFor({ timeout: WITHIN_MS });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the file of the services is planned as one types, errors show where they are, and what is applied is what was planned", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto("/console/config");
    const editor = page.getByLabel("The file, as YAML");
    const plan = page.getByRole("region", { name: "What it would do" });
    await plan.getByText("Nothing: this is what is in force.").waitFor({ timeout: WITHIN_MS });
    const file = await editor.inputValue();
    expect(file).toContain("image: troupe/echo:1");

    await editor.fill(`${file}    privileged: true\n`);
    const place = page.getByRole("list", { name: "Errors" }).getByRole("button", { name: /^line \d+, column 5$/ });
    await place.waitFor();
    expect(await page.getByRole("button", { name: "Apply" }).isDisabled()).toBe(true);
    await place.click();
    const caret = await editor.evaluate((area: HTMLTextAreaElement) => area.selectionStart);
    expect(file.length + "    ".length).toBe(caret);
    // Chromium says of each refused request that it was.
    expect(complaints.splice(0).filter((one) => !one.includes("422"))).toEqual([]);

    const changed = file.replace("GREETING: hello", "GREETING: good morning");
    await editor.fill(changed);
    const diff = plan.getByRole("list", { name: "What changes at web" });
    await diff.getByText('env.GREETING: "good morning"').waitFor();
    await diff.getByText('env.GREETING: "hello"').waitFor();

    // Somebody else is quicker: nothing of theirs is lost.
    const theirs = file.replace("GREETING: hello", "GREETING: good evening");
    const yaml = { "content-type": "application/yaml" };
    expect((await system.app.send("POST", "/config", theirs, yaml)).status).toBe(202);
    await page.getByRole("button", { name: "Apply" }).click();
    await plan.getByText("Another revision is in force by now").waitFor();
    await diff.getByText('env.GREETING: "good evening"').waitFor();
    expect(complaints.splice(0).filter((one) => !one.includes("412"))).toEqual([]);
    await page.getByRole("button", { name: "Apply" }).click();
    await plan.getByText("Nothing: this is what is in force.").waitFor();
    const { body } = await system.app.get("/config");
    expect((body as { services: { web: { env: object } } }).services.web.env).toEqual({ GREETING: "good morning" });

    expect((await system.app.send("POST", "/config", file, yaml)).status).toBe(202);
    await eventually("the service is as it was", WITHIN_MS, async () => {
      return ((await system.app.get("/services/web")).body as { status: string }).status === "converged";
    });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a reconcile loop and a delivery read like logs of what they decided", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto(`/console/workflows/${encodeURIComponent("reconcile-service/web")}`);
    const did = page.getByRole("region", { name: "What it did" });
    await did
      .getByText(/^Wanted: 2 of revision [0-9a-f]+\. There: /)
      .first()
      .waitFor({ timeout: WITHIN_MS });
    await did.getByRole("button", { name: "Result of survey" }).first().click();
    await did.getByText('"desired"').first().waitFor();

    let up = false;
    using receiver = Bun.serve({
      ...{ port: 0, hostname: "127.0.0.1" },
      fetch: () => new Response(null, { status: up ? 204 : 503 }),
    });
    const url = `http://127.0.0.1:${receiver.port}/`;
    const { id } = (await system.app.post("/endpoints", { url })).body as { id: string };
    const route = JSON.stringify({ match: { type: "told.*" }, to: [{ endpoint: id }] });
    await system.app.send("PUT", "/routes/told", route, { "content-type": "application/json" });
    const delivery = await eventually("a delivery has begun", WITHIN_MS, async () => {
      await system.app.post("/events", { type: "told.once", data: {} });
      const { body } = await system.app.get("/workflows?type=deliverWebhook&status=RUNNING");
      return (body as { items: { workflowId: string }[] }).items[0]?.workflowId;
    });
    await page.goto(`/console/workflows/${encodeURIComponent(delivery)}`);
    await did.getByText("The receiver answered 503").first().waitFor({ timeout: WITHIN_MS });
    await did.getByText(/^waits /).waitFor();
    up = true;
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the cursors of a sink are shown by store and partition, and the metrics of the past hours in lines", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto("/console/brokers");
    const outbox = page.getByRole("region", { name: "Outbox" });
    await outbox.getByRole("listitem").filter({ hasText: "to nats" }).getByRole("button", { name: "Cursors" }).click();
    const cursors = page.getByRole("region", { name: "Cursors of nats" });
    await cursors
      .getByText(/^order\/\d+$/)
      .first()
      .waitFor();
    await page.goto("/console/metrics");
    const past = page.getByRole("region", { name: "The past hours" });
    const requests = past.getByRole("listitem").filter({ hasText: "requests a second" });
    await requests.getByText(/^at most [0-9.]+/).waitFor({ timeout: 2 * WITHIN_MS });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("consumers are listed with their lag", async () => {
    const { body } = await system.app.get("/brokers");
    const { items } = body as { items: { name: string; status: string; groups: { name: string }[] }[] };
    expect(items.map(({ name, status }) => `${name} ${status}`)).toEqual([
      "nats up",
      "kafka up",
      "rabbitmq up",
      "redis up",
    ]);
    for (const { name, groups } of items) expect([name, groups.length > 0]).toEqual([name, true]);
  });

  test("a broker is made slow on the page of chaos, a container is killed there, and the service comes back", async () => {
    const { page, complaints } = await openPage(browser, system.base, WIDE);
    await page.goto("/console/chaos");
    await settled(page);
    await page.getByLabel("Slow the way to a broker: which").selectOption("kafka");
    await page.getByRole("button", { name: "Slow it" }).click();
    await page.getByRole("region", { name: "Under way" }).getByText("the way to kafka").waitFor();
    await page.getByRole("button", { name: "End it" }).click();
    await page.getByRole("region", { name: "Under way" }).waitFor({ state: "detached" });
    const before = await startsOf(system);
    const victim = page.getByLabel("Kill a container: which");
    await victim.selectOption({ label: "web, replica 1" });
    await page.getByRole("button", { name: "Kill it" }).click();
    await eventually("it runs again", WITHIN_MS, async () => {
      const now = await startsOf(system);
      return now.length === 2 && now.some((id) => !before.includes(id));
    });
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  async function picture(page: Page, path: string, { width, scheme }: View): Promise<void> {
    if (PICTURES === undefined) return;
    const name = path
      .replace(/^\/console/, "console")
      .replaceAll(/[^a-z-]+/gi, "_")
      .slice(0, 60);
    await page.screenshot({ path: join(PICTURES, `${name}-${width}-${scheme}.png`), fullPage: true });
  }
});

/** The starts of the service's containers that are healthy: one that came back has another. */
async function startsOf({ app }: ConsoleSystem): Promise<string[]> {
  const { body } = await app.get("/services/web");
  const { observed } = body as { observed: { containerId: string; startedAt: string | null; healthy: boolean }[] };
  return observed.filter(({ healthy }) => healthy).map(({ containerId, startedAt }) => `${containerId} ${startedAt}`);
}
