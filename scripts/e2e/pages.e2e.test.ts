import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Browser } from "playwright-core";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { CHROMIUM, openBrowser, openPage, overflows, settled, type View, violations } from "./browser.ts";
import { type Harness, openHarness } from "./harness.ts";
import { place, stockUp, untilOrder } from "./shop.ts";

setDefaultTimeout(240_000);

const VIEWS: readonly View[] = [
  { width: 1280, scheme: "light" },
  { width: 390, scheme: "dark" },
  { width: 1280, scheme: "dark" },
  { width: 390, scheme: "light" },
];
const ENDS_WITHIN_MS = 60_000;

const where = CHROMIUM === undefined ? " (skipped: no Chromium on the PATH; apt-get install chromium)" : "";

describe.skipIf(CHROMIUM === undefined)(`the pages in a browser${where}`, () => {
  let harness: Harness;
  let app: AppProcess;
  let base: string;
  let browser: Browser;
  let orderId: string;
  let letterId: string;
  let traceId: string;

  beforeAll(async () => {
    harness = await openHarness({
      environment: { DELIVERY_STEP: "300ms", DECIDE_WITHIN: "60s", OTEL_TRACES_SAMPLER: "parentbased_always_on" },
    });
    app = await harness.start().ready();
    base = await app.listening();
    browser = await openBrowser();
    for (const sku of ["TEA-1", "CUP-1", "POT-1"]) await stockUp(app, sku, 50);
    orderId = await place(app, "TEA-1", 2, { customerId: "ada" });
    await app.send("PUT", "/schemas/demo.strict", '{"type":"object","required":["n"]}', {
      "content-type": "application/json",
    });
    await eventually("the node knows the schema", ENDS_WITHIN_MS, async () => {
      return (await app.post("/events", { type: "demo.strict", data: {} })).status === 422;
    });
    const letters = (await app.get("/dead-letters")).body as { readonly items: readonly { readonly id: string }[] };
    letterId = letters.items[0]?.id ?? "";
    await untilOrder(app, orderId, "delivered");
    const traces = (await app.get("/traces?q=POST")).body as {
      readonly items: readonly { readonly traceId: string }[];
    };
    traceId = traces.items.at(-1)?.traceId ?? "";
  }, 180_000);
  afterAll(async () => {
    await browser?.close();
    await harness?.[Symbol.asyncDispose]();
  }, 60_000);

  test("an order is placed with a card, and its page fills in each step until it is delivered", async () => {
    const { page, complaints } = await openPage(browser, base, { width: 1280, scheme: "light" });
    await page.goto("/");
    await page.getByRole("button", { name: "Add TEA-1 to the basket" }).click();
    await page.getByRole("button", { name: "Add CUP-1 to the basket" }).click();
    await page.getByRole("button", { name: /^Basket/ }).click();
    await page.getByRole("button", { name: /^Check out/ }).click();
    await page.getByRole("radio", { name: /Goes through/ }).check();
    await page.getByRole("button", { name: "Place the order" }).click();
    await page.waitForURL("**/shop/orders/ord_*");
    const steps = page.getByRole("list", { name: "Progress of the order" });
    await steps.locator('li[data-done="true"]').nth(4).waitFor({ timeout: ENDS_WITHIN_MS });
    expect(await steps.locator("strong").allTextContents()).toEqual([
      "Placed",
      "Reserved",
      "Paid",
      "Shipped",
      "Delivered",
    ]);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("an order is cancelled on its page, and ends cancelled there", async () => {
    const { page, complaints } = await openPage(browser, base, { width: 390, scheme: "dark" });
    const id = await place(app, "CUP-1", 1, { customerId: "ada", paymentToken: "tok_slow" });
    await page.goto(`/shop/orders/${id}`);
    await page.getByRole("button", { name: "Cancel the order" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Cancel the order" }).click();
    await page.locator('.stepper li[data-end="cancelled"]').waitFor({ timeout: ENDS_WITHIN_MS });
    await untilOrder(app, id, "cancelled");
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("an order is decided, sent elsewhere, delivered, returned and credited, all on its page", async () => {
    await stockUp(app, "RARE-1", 1);
    const { page, complaints } = await openPage(browser, base, { width: 390, scheme: "light" });
    const id = await place(app, "RARE-1", 3, { customerId: "ada", address: "Main Street 1" });
    await page.goto(`/shop/orders/${id}`);
    const decision = page.getByRole("region", { name: "Your decision is needed" });
    await decision.getByText("RARE-1: 1 of 3").waitFor({ timeout: ENDS_WITHIN_MS });
    await page.getByRole("button", { name: "Change", exact: true }).click();
    const dialog = page.getByRole("dialog", { name: "Send it elsewhere" });
    await dialog.getByLabel("Street and number").fill("Side Street 2");
    await dialog.getByRole("button", { name: "Send it there" }).click();
    await page.getByText("Side Street 2").first().waitFor();
    await decision.getByRole("button", { name: "Send that part" }).click();
    await untilOrder(app, id, "delivered");
    await page.getByRole("button", { name: /^Invoice \d{4}-\d{6}/ }).click({ timeout: ENDS_WITHIN_MS });
    const invoice = page.getByRole("dialog", { name: /^Invoice/ });
    await invoice.getByText("Side Street 2").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Send it back" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send it back" }).click();
    await untilOrder(app, id, "returned");
    await page.getByText("Given back").waitFor({ timeout: ENDS_WITHIN_MS });
    await eventually("the invoice has its credit note", ENDS_WITHIN_MS, async () => {
      const { creditNotes = [] } = (await app.get(`/invoices/${id}`)).body as { creditNotes?: unknown[] };
      return creditNotes.length === 1;
    });
    await page.reload();
    await page.getByRole("button", { name: /^Invoice/ }).click();
    await invoice.getByText(/^Credit note CN-/).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("orders are found by words and by their total, and the trace of one is drawn as a waterfall", async () => {
    const { page, complaints } = await openPage(browser, base, { width: 1280, scheme: "dark" });
    const found = await place(app, "TEA-1", 3, {
      customerId: "bob",
      address: { street: "Quince Alley 7", country: "DE" },
    });
    const { headers } = await app.post("/orders", { customerId: "bob", lines: [{ sku: "TEA-1", quantity: 1 }] });
    await untilOrder(app, found, "delivered");
    await page.goto("/shop/orders?of=everybody");
    await page.getByLabel(/^Words/).fill("quince");
    await page.getByLabel("Total from").fill("7.50");
    await page.getByRole("button", { name: "Find" }).click();
    await page.locator(".order-list li").first().waitFor();
    expect(await page.locator(".order-list li").count()).toBe(1);
    expect(await page.locator(".order-list a").getAttribute("href")).toBe(`/shop/orders/${found}`);

    await page.goto(`/console/traces/${headers.get("x-trace-id") ?? ""}`);
    await page.getByRole("button", { name: /^POST \/orders/ }).waitFor({ timeout: ENDS_WITHIN_MS });
    await page.getByRole("button", { name: /^order\/place/ }).click();
    await page.getByRole("region", { name: "order/place" }).getByText("troupe.actor.key").waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("the palette leads from an order's id to its workflow by keys alone", async () => {
    const { page, complaints } = await openPage(browser, base, { width: 1280, scheme: "light" });
    await page.goto("/console");
    await settled(page);
    await page.keyboard.press("Control+k");
    await page.keyboard.type(orderId);
    const workflow = page.getByRole("option", { name: `fulfil-order/${orderId}` }).first();
    await workflow.waitFor();
    for (let steps = 0; (await workflow.getAttribute("aria-selected")) !== "true" && steps < 10; steps++)
      await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/console/workflows/**`);
    await page.getByText("completed").first().waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test("a dead letter is mended on its page, and replayed", async () => {
    const { page } = await openPage(browser, base, { width: 1280, scheme: "light" });
    expect((await app.post("/events", { type: "demo.strict", id: "mend-me", data: {} })).status).toBe(422);
    await page.goto("/console/dead-letters");
    await settled(page);
    await page.locator("tbody a").last().click();
    await page.getByLabel("Data, as JSON").fill('{"n": 1}');
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved; replay it when you are done").waitFor();
    await page.getByRole("button", { name: "Replay" }).click();
    await page.getByText("Tried again").waitFor();
    await page.waitForURL("**/console/dead-letters");
    await page.context().close();
  });

  const pages = (): readonly string[] => [
    "/",
    "/shop/checkout",
    "/shop/orders",
    `/shop/orders/${orderId}`,
    "/simulator",
    "/console",
    "/console/actors",
    "/console/actors/order",
    `/console/actors/order/${orderId}`,
    "/console/events",
    "/console/dead-letters",
    `/console/dead-letters/${encodeURIComponent(letterId)}`,
    "/console/workflows",
    `/console/workflows/${encodeURIComponent(`fulfil-order/${orderId}`)}`,
    "/console/traces",
    `/console/traces/${traceId}`,
    "/console/services",
    "/console/config",
    "/console/cluster",
    "/console/metrics",
    "/console/settings",
  ];

  for (const view of VIEWS)
    test(`every page is clean at ${view.width} pixels, ${view.scheme}: no error, no other host, nothing against WCAG AA, nothing wider than the window`, async () => {
      const { page, complaints } = await openPage(browser, base, view);
      const wrong: Record<string, readonly string[]> = {};
      for (const path of pages()) {
        await page.goto(path);
        await settled(page);
        const found = [...complaints.splice(0), ...(await violations(page))];
        if (await overflows(page)) found.push("scrolls sideways");
        if (found.length > 0) wrong[path] = found;
      }
      expect(wrong).toEqual({});
      await page.context().close();
    });

  test("a page whose API fails says so with a trace, and offers another try", async () => {
    const { page } = await openPage(browser, base, { width: 1280, scheme: "light" });
    await page.route("**/orders?**", (route) =>
      route.fulfill({
        status: 503,
        contentType: "application/problem+json",
        body: JSON.stringify({
          title: "Unavailable",
          status: 503,
          code: "unavailable",
          detail: "The store is away",
          traceId: "abc123",
        }),
      }),
    );
    await page.goto("/shop/orders");
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect(await alert.textContent()).toContain("The store is away");
    expect(await alert.textContent()).toContain("abc123");
    await page.unroute("**/orders?**");
    await alert.getByRole("button", { name: "Try again" }).click();
    await page.locator(".order-list, .empty").first().waitFor();
    await page.context().close();
  });
});
