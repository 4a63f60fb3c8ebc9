import { followTopics } from "./follow-topics.ts";
import { openSession } from "./session.ts";

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
dialog { border: 1px solid var(--line); border-radius: 8px; background: var(--ground); color: inherit; padding: 1.2rem 1.5rem; max-width: min(48rem, 92vw) } dialog::backdrop { background: rgb(0 0 0 / .45) }
dialog h2 { margin: 0 0 .5rem } dialog form { display: grid; gap: .7rem } input { font: inherit; width: 22rem; max-width: 100%; padding: .35rem .6rem; border: 1px solid var(--line); border-radius: 6px; background: var(--raised); color: inherit }
#sign-out { margin-left: auto } .soft { color: var(--soft) } .method { display: inline-block; min-width: 4.2rem; font-weight: 600; color: var(--accent) }
@media (max-width: 40rem) { header { flex-wrap: wrap } th:nth-child(n+5), td:nth-child(n+5) { display: none } }
`;

/**
 * Helpers every page's script has. Elements are made from text only, so that no answer can become markup. `live` calls
 * `refresh` when something is broadcast, a few times a second at most.
 */
const SCRIPT = `
const followTopics = ${followTopics.toString()};
const openSession = ${openSession.toString()};
const byId = (id) => document.getElementById(id);
const askForKey = (refused) => new Promise((entered) => {
  const dialog = byId("sign-in"), form = dialog.querySelector("form");
  byId("sign-in-why").textContent = refused ? "The key is unknown, revoked or expired." : "What this page shows needs an API key.";
  form.onsubmit = (event) => { event.preventDefault(); const { value } = form.elements.key; form.reset(); dialog.close(); byId("sign-out").hidden = false; entered(value.trim()) };
  dialog.oncancel = (event) => event.preventDefault();
  dialog.showModal();
});
const session = openSession({ storage: sessionStorage, send: (path, init) => fetch(path, init), askForKey, socketUrl: location.origin.replace("http", "ws") + "/ws" });
byId("sign-out").hidden = !session.signedIn;
byId("sign-out").onclick = () => { session.signOut(); location.reload() };
const live = (topics, refresh) => {
  let due; const soon = () => { due ??= setTimeout(() => { due = undefined; refresh() }, 150) };
  const following = followTopics(session.socketAddress, topics, { onMessage: soon, onGap: soon });
  session.onSignIn(() => following.moveTo(session.socketAddress));
  return following;
};
const el = (tag, text, more = {}) => Object.assign(document.createElement(tag), text === undefined ? {} : { textContent: text }, more);
const fill = (id, ...nodes) => byId(id).replaceChildren(...nodes);
const money = (minor, currency) => { const format = new Intl.NumberFormat(undefined, { style: "currency", currency }); return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits) };
const get = async (path) => { const answer = await session.ask(path); const body = await answer.json(); if (!answer.ok && !body.components) throw new Error(body.detail || answer.status); return body; };
const look = (path) => (event) => { if (!session.signedIn) return; event.preventDefault();
  get(path).then((body) => { byId("looked-at").textContent = JSON.stringify(body, null, 2); byId("look").showModal() }, () => undefined) };
`;

const DIALOGS = `
<dialog id="sign-in" aria-labelledby="sign-in-title"><form method="dialog"><h2 id="sign-in-title">Sign in</h2><span id="sign-in-why" class="soft"></span>
<label>API key <input type="password" name="key" autocomplete="off" spellcheck="false" required pattern="[!-~]+"></label>
<span class="soft">It is kept until this tab is closed.</span><button>Sign in</button></form></dialog>
<dialog id="look"><pre id="looked-at"></pre><form method="dialog"><button>Close</button></form></dialog>`;

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
<header><b>Troupe</b>${nav}${page.links ?? ""}<button id="sign-out" hidden>Sign out</button></header><main>${page.main}</main>${DIALOGS}
<script type="module">${SCRIPT}${page.script}</script></html>`;
}
