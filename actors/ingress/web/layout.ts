import { followTopics } from "./follow-topics.ts";

/** Escapes a text for HTML, also inside quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

const STYLE = `
:root { color-scheme: light dark; --ink: light-dark(#1d1f23, #e7e7e4); --soft: light-dark(#6b6f76, #9a9da3); --line: light-dark(#e3e1dc, #33363b);
  --ground: light-dark(#faf9f7, #17181b); --raised: light-dark(#fff, #1e2024); --accent: light-dark(#9a3412, #fb923c); }
* { box-sizing: border-box } body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
header { display: flex; gap: 1.5rem; align-items: baseline; padding: 1rem 1.5rem; border-bottom: 1px solid var(--line) }
header b { font-size: 1.1rem; letter-spacing: -.01em } header a { color: var(--soft); text-decoration: none } header a:hover, header a[aria-current] { color: var(--accent) }
main { max-width: 62rem; margin: 0 auto; padding: 1.5rem } h1 { font-size: 1.4rem; margin: .5rem 0 1rem } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
table { width: 100%; border-collapse: collapse; background: var(--raised) } th, td { text-align: left; padding: .45rem .7rem; border-bottom: 1px solid var(--line) }
th { font-weight: 500; color: var(--soft); font-size: .85rem } td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
code, pre { font: 13px/1.5 ui-monospace, monospace } pre { overflow: auto; padding: .8rem; background: var(--raised); border: 1px solid var(--line); border-radius: 6px }
button { font: inherit; padding: .3rem .8rem; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); color: inherit; cursor: pointer } button:hover { border-color: var(--accent); color: var(--accent) }
details { border: 1px solid var(--line); border-radius: 6px; background: var(--raised); margin: .4rem 0 } summary { padding: .5rem .8rem; cursor: pointer } details > div { padding: 0 .8rem .8rem }
.soft { color: var(--soft) } .method { display: inline-block; min-width: 4.2rem; font-weight: 600; color: var(--accent) }
@media (max-width: 40rem) { header { flex-wrap: wrap } th:nth-child(n+5), td:nth-child(n+5) { display: none } }
`;

/**
 * Helpers every page's script has. Elements are made from text only, so that no answer can become markup. `live` calls
 * `refresh` when something is broadcast, a few times a second at most.
 */
const SCRIPT = `
const followTopics = ${followTopics.toString()};
const live = (topics, refresh) => {
  let due; const soon = () => { due ??= setTimeout(() => { due = undefined; refresh() }, 150) };
  return followTopics(location.origin.replace("http", "ws") + "/ws", topics, { onMessage: soon, onGap: soon });
};
const el = (tag, text, more = {}) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, more);
const fill = (id, ...nodes) => document.getElementById(id).replaceChildren(...nodes);
const money = (minor, currency) => (minor / 100).toLocaleString(undefined, { style: "currency", currency });
const get = async (path) => { const answer = await fetch(path); const body = await answer.json(); if (!answer.ok && !body.components) throw new Error(body.detail || answer.status); return body; };
`;

const PAGES = [
  ["/", "Shop"],
  ["/console", "Console"],
  ["/openapi", "API"],
] as const;

/** A whole page around its content and script. */
export function layout(page: {
  readonly path: string;
  readonly title: string;
  readonly main: string;
  readonly script: string;
  readonly links?: string;
}): string {
  const nav = PAGES.map(
    ([path, name]) => `<a href="${path}"${path === page.path ? ' aria-current="page"' : ""}>${name}</a>`,
  ).join("");
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(page.title)} · Troupe</title>
<link rel="icon" href="data:,"><style>${STYLE}</style>
<header><b>Troupe</b>${nav}${page.links ?? ""}</header><main>${page.main}</main>
<script type="module">${SCRIPT}${page.script}</script></html>`;
}
