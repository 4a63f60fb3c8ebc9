/** A real browser for tests of pages: the system's Chromium, and what it complains of. */
import { readFileSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** Where Chromium is; `undefined` where there is none: Debian has it as the package `chromium`. */
export const CHROMIUM = NAMES.map((name) => Bun.which(name)).find((path) => path !== null);

/** How a page is looked at. */
export interface View {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

/** Starts the browser. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM ?? "chromium",
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
  });
}

/** A page of its own session, and all that is wrong with it so far: errors, and requests to other hosts. */
export async function openPage(
  browser: Browser,
  base: string,
  { width, scheme }: View,
): Promise<{ readonly page: Page; readonly complaints: string[] }> {
  const context = await browser.newContext({
    baseURL: base,
    viewport: { width, height: 800 },
    colorScheme: scheme,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // Networks of containers that come and go are no fault of the page.
    if (message.text().includes("ERR_NETWORK_CHANGED")) return;
    if (message.type() === "error" || message.type() === "warning")
      complaints.push(`${message.type()}: ${message.text()} (${message.location().url})`);
  });
  page.on("pageerror", (error) => complaints.push(`thrown: ${error.message}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.host !== new URL(base).host)
      complaints.push(`asked another host: ${request.url()}`);
  });
  return { page, complaints };
}

/** Waits until nothing on a page is still on its way. */
export async function settled(page: Page): Promise<void> {
  await page.locator("main h1, main h3").first().waitFor();
  await page.waitForFunction(() => document.querySelector(".skeleton") === null);
}

let axe: string | undefined;

/** What axe-core finds against WCAG 2.2 AA, each with where. */
export async function violations(page: Page): Promise<string[]> {
  axe ??= readFileSync(Bun.fileURLToPath(import.meta.resolve("axe-core/axe.min.js")), "utf8");
  await page.evaluate(axe);
  return await page.evaluate(async () => {
    const { axe: engine } = globalThis as unknown as {
      axe: {
        run(options: object): Promise<{
          violations: readonly { id: string; nodes: readonly { html: string; failureSummary?: string }[] }[];
        }>;
      };
    };
    const found = await engine.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"] });
    return found.violations.flatMap(({ id, nodes }) =>
      nodes
        .slice(0, 3)
        .map(({ html, failureSummary = "" }) => `${id}: ${html.slice(0, 160)} – ${failureSummary.slice(0, 240)}`),
    );
  });
}

/** Whether a page is wider than its window, so that it scrolls sideways. */
export function overflows(page: Page): Promise<boolean> {
  return page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth + 1);
}
