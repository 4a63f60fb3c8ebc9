import { expect, test } from "bun:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { ASSETS_PATH, bundle, DOCUMENTS, type DocumentName } from "./bundle.ts";
import { serveAsset, servePage } from "./serve.ts";

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const names = Object.keys(DOCUMENTS) as DocumentName[];

test("bundle() is made once, and every file that a document or style names is one of its own", async () => {
  const made = await bundle();
  expect(await bundle()).toBe(made);
  const styles = [...made.assets.values()].filter(({ type }) => type.startsWith("text/css"));
  for (const document of [...names.map((name) => made.documents[name]), ...styles]) {
    const named = [...text(document.plain).matchAll(/(?:src|href)="([^"]+)"|url\("?([^")]+)"?\)/g)].map(
      (m) => m[1] ?? m[2],
    );
    for (const url of named.filter((found) => found !== undefined && found !== "data:," && found !== "/openapi/json")) {
      expect(url).toStartWith(ASSETS_PATH);
      expect(made.assets.has((url as string).slice(ASSETS_PATH.length))).toBe(true);
    }
  }
});

test("a document holds no script and no style of its own, as its policy forbids both", async () => {
  const { documents } = await bundle();
  for (const name of names) {
    const html = text(documents[name].plain);
    expect(html).not.toMatch(/<style|style=|<script(?![^>]*src=)[^>]*>[^<]/);
    const policy = servePage(new Request("http://localhost/"), documents[name]).headers.get("content-security-policy");
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toContain("unsafe");
  }
});

test("the first page of the shop is at most 150 KB, its letters included", async () => {
  const { documents, assets } = await bundle();
  const html = text(documents.shop.plain);
  const direct = [...html.matchAll(/\/assets\/([^"]+)/g)].map(([, name]) => name as string);
  const loaded = new Set([...direct, "inter.woff2"]);
  // What a script imports when it starts is loaded with it.
  for (const name of loaded)
    for (const [, imported] of text(assets.get(name)?.plain ?? new Uint8Array()).matchAll(
      /from"(?:\.|\/assets)\/([^"]+\.js)"/g,
    ))
      loaded.add(imported as string);
  const bytes = [...loaded]
    .map((name) => assets.get(name))
    .map((asset) => (asset?.brotli ?? asset?.plain)?.length ?? 0);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
});

test("a file is sent in the smallest form that the browser takes, and in no form that it forbids", async () => {
  const { documents } = await bundle();
  const page = documents.console;
  const asked = async (accepted: string): Promise<[string | null, Uint8Array]> => {
    const answer = servePage(new Request("http://localhost/", { headers: { "accept-encoding": accepted } }), page);
    return [answer.headers.get("content-encoding"), await answer.bytes()];
  };
  const [brotli, small] = await asked("gzip, deflate, br;q=0.8");
  expect([brotli, text(brotliDecompressSync(small))]).toEqual(["br", text(page.plain)]);
  const [gzip, larger] = await asked("br;q=0, gzip");
  expect([gzip, text(gunzipSync(larger))]).toEqual(["gzip", text(page.plain)]);
  expect((await asked(""))[0]).toBeNull();
});

test("assets may be kept for ever, and documents are asked for anew", async () => {
  const { documents, assets } = await bundle();
  const request = new Request("http://localhost/");
  const [asset] = assets.values();
  if (asset === undefined) throw new Error("no assets");
  expect(serveAsset(request, asset).headers.get("cache-control")).toContain("immutable");
  expect(servePage(request, documents.api).headers.get("cache-control")).toBe("no-cache");
});
