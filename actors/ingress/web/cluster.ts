import { layout } from "./layout.ts";

const MAIN = `
<h1>Nodes</h1>
<table><thead><tr><th>Node</th><th>Address</th><th>Since</th><th class="number">Lease age</th><th class="number">Partitions</th><th class="number">In memory</th></tr></thead><tbody id="nodes"></tbody></table>
<h2>Partitions</h2><p class="soft">A square is a partition, its colour the node that owns it; the number is how often it has changed hands.</p><div id="stores"></div>
<h2>Actors</h2>
<table><thead><tr><th>Type</th><th>Store</th><th class="number">In memory</th><th class="number">Waiting messages</th></tr></thead><tbody id="types"></tbody></table>
<h2>Subscriptions</h2>
<table><thead><tr><th>Actor</th><th>Broker</th><th>Node</th><th class="number">In flight</th><th class="number">Lag</th><th>Trouble</th></tr></thead><tbody id="subscriptions"></tbody></table>
<p class="soft"><span id="said" role="status"></span></p>`;

const SCRIPT = `
const colour = (nodes, id) => id === null ? "transparent" : "hsl(" + (nodes.findIndex((n) => n.id === id) * 137.5 % 360) + " 55% 50% / .55)";
const cells = (...texts) => { const row = el("tr"); row.append(...texts.map((t) => typeof t === "number" ? el("td", t, { className: "number" }) : t instanceof Node ? t : el("td", t))); return row };
function dot(nodes, n) { const cell = el("td"), mark = el("span", " "); mark.style.cssText = "display:inline-block;width:.8em;height:.8em;margin-right:.5em;background:" + colour(nodes, n.owns || n.partitions ? n.id : null); cell.append(mark, n.id + (n.owns ? "" : " (owns nothing)") + (n.answered ? "" : " (did not answer)")); return cell }
function grid(nodes, { store, partitions }) {
  const box = el("div"), list = el("div"); list.style.cssText = "display:grid;grid-template-columns:repeat(auto-fill,minmax(2.2rem,1fr));gap:2px";
  list.append(...partitions.map((p) => { const square = el("div", p.epoch, { title: "partition " + p.partition + ", epoch " + p.epoch + ", " + (p.node ?? "nobody") });
    square.style.cssText = "text-align:center;font-size:.75rem;padding:.2rem 0;border-radius:3px;border:1px solid var(--line);background:" + colour(nodes, p.node); return square }));
  box.append(el("p", store), list); return box }
async function refresh() {
  try {
    const { types, nodes, stores, subscriptions } = await get("/actors");
    fill("nodes", ...nodes.map((n) => cells(dot(nodes, n), n.address ?? "–", new Date(n.since).toLocaleTimeString(), n.leaseAgeMs + " ms", n.partitions, n.inMemory ?? "–")));
    fill("stores", ...stores.map((s) => grid(nodes, s)));
    fill("types", ...types.map((t) => cells(t.type, t.store, t.inMemory, t.mailboxDepth)));
    fill("subscriptions", ...subscriptions.map((s) => cells(s.actor, s.source, s.node ?? "–", s.inFlight, s.lag ?? "–", s.failing ?? "")));
    document.getElementById("said").textContent = "";
  } catch (error) { document.getElementById("said").textContent = String(error.message) }
  setTimeout(refresh, 1000);
}
refresh();`;

/** The nodes, and who owns which partition. */
export function clusterPage(): string {
  return layout({ path: "/console", title: "Cluster", main: MAIN, script: SCRIPT });
}
