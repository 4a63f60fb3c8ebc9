/**
 * The pages of `infra/docs` as a site: rendered once per process, with a list of all of them and a search.
 *
 * D1 No script runs on these pages, and nothing of another host is asked for: the search is a form.
 * D2 What is served is what was found when the site was made: no path of a request ever reaches the disk.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import MiniSearch from "minisearch";
import { layout } from "./layout.ts";
import type { Page } from "./page.ts";
import { renderPage } from "./render.ts";

/** Where the site is served. */
export const DOCS_ROOT = "/docs";
const FOLDER = join(import.meta.dirname, "../../../infra/docs");
const FOUND_AT_MOST = 20;
const EXCERPT = 160;

/** The site. */
export interface Site {
  /** A page as a document; `undefined` where there is none. */
  page(path: string): string | undefined;
  /** What was found, as a document. */
  search(query: string): string;
  /** A file for programs, as `llms.txt`; `undefined` where there is none. */
  file(name: string): string | undefined;
  readonly style: string;
}

let made: Promise<Site> | undefined;

/** The site of this process; the first call makes it. */
export function site(): Promise<Site> {
  made ??= makeSite(FOLDER).catch((error: unknown) => {
    made = undefined;
    throw error;
  });
  return made;
}

/** Makes the site of a folder. */
export async function makeSite(folder: string): Promise<Site> {
  const names = (await readdir(folder, { recursive: true })).toSorted();
  const pages = new Map<string, Page>();
  for (const name of names.filter((one) => one.endsWith(".md"))) {
    const path = name.replace(/(?:^|\/)README\.md$/, "").replace(/\.md$/, "");
    pages.set(path, { path, ...renderPage(await readFile(join(folder, name), "utf8"), name, DOCS_ROOT) });
  }
  const files = new Map<string, string>();
  for (const name of names.filter((one) => /^[\w.-]+\.(?:txt|ya?ml)$/.test(one)))
    files.set(name, await readFile(join(folder, name), "utf8"));
  const web = join(import.meta.dirname, "../web/kit");
  const style = [
    await readFile(join(web, "tokens.css"), "utf8"),
    await readFile(join(import.meta.dirname, "docs.css"), "utf8"),
  ];
  const list = [...pages.values()];
  const index = new MiniSearch<Page>({
    idField: "path",
    fields: ["title", "headings", "text"],
    extractField: (page, field) => {
      if (field === "headings") return page.headings.map(({ text }) => text).join("\n");
      return page[field as "path" | "title" | "text"];
    },
    searchOptions: { boost: { title: 5, headings: 2 }, prefix: true, fuzzy: 0.15, combineWith: "AND" },
  });
  index.addAll(list);
  return {
    page(path) {
      const page = pages.get(path);
      if (page !== undefined)
        return layout({ pages: list, current: page, title: page.title, query: "", main: page.html });
      return path === ""
        ? layout({ pages: list, title: "Documentation", query: "", main: "<h1>Documentation</h1>" })
        : undefined;
    },
    search(query) {
      const found = index.search(query).slice(0, FOUND_AT_MOST);
      const results = found.flatMap(({ id, terms }) => {
        const page = pages.get(String(id));
        return page === undefined ? [] : [{ page, excerpt: excerptOf(page.text, terms) }];
      });
      return layout({ pages: list, title: `Search: ${query}`, query, results });
    },
    file: (name) => files.get(name),
    style: style.join("\n"),
  };
}

/** The text around the first of the words. */
function excerptOf(text: string, terms: readonly string[]): string {
  const flat = text.replaceAll(/\s+/g, " ");
  const low = flat.toLowerCase();
  const at = Math.max(
    0,
    Math.min(...terms.map((term) => low.indexOf(term)).filter((place) => place >= 0), flat.length),
  );
  const from = Math.max(0, (at === flat.length ? 0 : at) - EXCERPT / 4);
  return `${from > 0 ? "…" : ""}${flat.slice(from, from + EXCERPT)}…`;
}
