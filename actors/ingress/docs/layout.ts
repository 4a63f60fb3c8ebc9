import type { Page } from "./page.ts";

/** What a document shows. */
export interface Shown {
  /** Every page, for the list. */
  readonly pages: readonly Page[];
  readonly current?: Page;
  readonly title: string;
  /** What was searched for. */
  readonly query: string;
  /** HTML of ours. */
  readonly main?: string;
  readonly results?: readonly { readonly page: Page; readonly excerpt: string }[];
}

const GROUPS: Readonly<Record<string, string>> = { "how-to": "How to", runbooks: "Runbooks", adr: "Decisions" };

/** The document: the list of pages beside the page, a form to search, no script. */
export function layout({ pages, current, title, query, main, results }: Shown): string {
  const here = current?.path;
  const contents = (current?.headings ?? []).filter(({ level }) => level === 2);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title)} · Troupe</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/docs.css">
</head>
<body>
<a class="skip" href="#main">To the page</a>
<header>
<a class="brand" href="/docs">Troupe</a>
<form action="/docs/search" role="search">
<label for="q">Search</label>
<input id="q" name="q" type="search" value="${text(query)}" placeholder="Search the documentation" required maxlength="100">
</form>
<nav aria-label="Elsewhere"><a href="/">Shop</a> <a href="/console">Console</a> <a href="/openapi">API</a></nav>
</header>
<div class="columns">
<nav aria-label="Pages">${[undefined, ...groupsOf(pages)].map((group) => listOf(pages, group, here)).join("")}</nav>
<main id="main" tabindex="-1">${main ?? found(query, results ?? [])}</main>
${contents.length > 1 ? `<nav class="contents" aria-label="On this page"><ul>${contents.map(({ id, text: heading }) => `<li><a href="#${text(id)}">${text(heading)}</a></li>`).join("")}</ul></nav>` : ""}
</div>
</body>
</html>
`;
}

function groupsOf(pages: readonly Page[]): readonly string[] {
  return [...new Set(pages.flatMap(({ path }) => (path.includes("/") ? [path.slice(0, path.indexOf("/"))] : [])))];
}

/** The pages of a folder, or those of none. */
function listOf(pages: readonly Page[], group: string | undefined, here: string | undefined): string {
  const own = pages.filter(({ path }) =>
    group === undefined
      ? !path.includes("/") && groupsOf(pages).indexOf(path) < 0
      : path === group || path.startsWith(`${group}/`),
  );
  const links = own.map(
    ({ path, title }) =>
      `<li><a href="/docs${path === "" ? "" : `/${text(path)}`}"${path === here ? ' aria-current="page"' : ""}>${text(title)}</a></li>`,
  );
  const heading = group === undefined ? "" : `<h2>${text(GROUPS[group] ?? group)}</h2>`;
  return `${heading}<ul>${links.join("")}</ul>`;
}

function found(query: string, results: NonNullable<Shown["results"]>): string {
  const heading = `<h1>${results.length === 0 ? "Nothing" : `${results.length} pages`} for “${text(query)}”</h1>`;
  if (results.length === 0) return `${heading}<p>Try fewer or other words. The list of pages stands beside.</p>`;
  const items = results.map(
    ({ page, excerpt }) => `<li><a href="/docs/${text(page.path)}">${text(page.title)}</a><p>${text(excerpt)}</p></li>`,
  );
  return `${heading}<ol class="results">${items.join("")}</ol>`;
}

/** A text in HTML, also between quotes. */
function text(value: string): string {
  return Bun.escapeHTML(value);
}
