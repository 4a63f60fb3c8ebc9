import { escapeHtml, layout } from "./layout.ts";

const MAIN = `
<h1>What runs</h1><table><thead><tr><th>Component</th><th>Status</th><th>Address</th><th>What to do</th></tr></thead><tbody id="components"></tbody></table>
<h2>Orders <span id="count" class="soft"></span></h2>
<table><thead><tr><th>Order</th><th>Status</th><th class="number">Total</th><th>Customer</th><th>Placed</th></tr></thead><tbody id="orders"></tbody></table>
<p class="soft">The newest 50. <span id="said" role="status"></span></p>`;

const SCRIPT = `
async function components() {
  const { components } = await get("/ready");
  fill("components", ...components.map((c) => { const row = el("tr"); row.append(el("td", c.name), el("td", c.status), el("td", c.address ?? "–"), el("td", c.how)); return row }));
}
async function orders() {
  const { items, next } = await get("/orders?limit=50");
  document.getElementById("count").textContent = items.length + (next ? "+" : "");
  fill("orders", ...items.map((o) => { const row = el("tr"), id = el("td"); id.append(el("a", o.orderId, { href: "/orders/" + o.orderId, onclick: look("/orders/" + o.orderId) }));
    row.append(id, el("td", o.status + (o.reason ? " (" + o.reason + ")" : "")), el("td", money(o.total, o.currency), { className: "number" }), el("td", o.customerId), el("td", new Date(o.placedAt).toLocaleTimeString())); return row }));
}
async function refresh() {
  const failed = (await Promise.allSettled([components(), orders()])).find((r) => r.status === "rejected");
  document.getElementById("said").textContent = failed ? String(failed.reason.message) : "";
}
live(["orders", "services"], refresh);
refresh(); setInterval(refresh, 5_000);`;

/** The console: the components, and the orders as they move. */
export function consolePage(temporalUi: string | null): string {
  const temporal = temporalUi === null ? "" : `<a href="${escapeHtml(temporalUi)}">Temporal</a>`;
  return layout({
    path: "/console",
    title: "Console",
    main: MAIN,
    script: SCRIPT,
    links: `<a href="/console/cluster">Cluster</a>${temporal}`,
  });
}
