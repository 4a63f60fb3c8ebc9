import { expect, setDefaultTimeout, test } from "bun:test";
import { createIngress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";
import { renderPage } from "./render.ts";

setDefaultTimeout(60_000);

const ingress = createIngress(stubDeps({}));
const get = (path: string): Promise<Response> => ingress.handle(new Request(`http://localhost${path}`));

test("a page is rendered with addresses of headings, links to other pages, and no HTML of its own", () => {
  const source = `# The <page>

<script>alert(1)</script> [glossary](../glossary.md#epoch) [code](../../../runtime/mod.ts) [bad](javascript:alert(1))

## Twice & once

## Twice & once
`;
  const { html, title, headings } = renderPage(source, "runbooks/disk.md", "/docs");
  expect(title).toBe("The <page>");
  expect(headings.map(({ id }) => id)).toEqual(["the-page", "twice--once", "twice--once-1"]);
  expect(html).toContain('<a href="/docs/glossary#epoch">glossary</a>');
  expect(html).toContain("<span>code</span>");
  expect(html).not.toContain("<script");
  expect(html).not.toContain('href="javascript');
});

test("/docs lists every page, marks the one that is shown, and no script may run", async () => {
  const answer = await get("/docs/runbooks/outbox-lag");
  const text = await answer.text();
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-security-policy")).toStartWith("default-src 'none'; style-src 'self'");
  expect(text).toContain('<a href="/docs/runbooks/outbox-lag" aria-current="page">Outbox lag</a>');
  expect(text).toContain("How you know it is over");
  expect(text).not.toContain("<script");
  expect(text).not.toMatch(/ (?:style|on\w+)=/);
  expect((await get("/docs")).status).toBe(200);
  expect((await get("/docs/llms.txt")).headers.get("content-type")).toContain("text/plain");
  expect(await (await get("/docs/docs.css")).text()).toContain("--accent");
});

test("every link of every page to another one is answered", async () => {
  const seen = new Set<string>();
  const waiting = ["/docs"];
  for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const answer = await get(path);
    expect([path, answer.status]).toEqual([path, 200]);
    if (!answer.headers.get("content-type")?.includes("text/html")) continue;
    for (const [, href = ""] of (await answer.text()).matchAll(/href="(\/docs[^"#]*)/g)) waiting.push(href);
  }
  expect(seen.size).toBeGreaterThan(25);
});

test("the search finds a page by words of it, also by their beginnings, and shows a stranger's query as text", async () => {
  const found = await (await get("/docs/search?q=lease+epoch+partit")).text();
  expect(found).toMatch(/<ol class="results"><li><a href="\/docs\//);
  const hostile = await (await get(`/docs/search?q=${encodeURIComponent('"><script>alert(1)</script>')}`)).text();
  expect(hostile).not.toContain("<script");
});

test("a path that leaves the folder, or is no page, is 404", async () => {
  for (const path of [
    "/docs/nothing",
    "/docs/..%2f..%2fpackage.json",
    "/docs/runbooks/..%2f..%2f..%2fpackage",
    "/docs/adr/x/y",
  ])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
});
