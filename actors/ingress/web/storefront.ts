import { layout } from "./layout.ts";

const MAIN = `
<h1>Products</h1><table><thead><tr><th>SKU</th><th>Name</th><th class="number">Price</th><th></th></tr></thead><tbody id="products"></tbody></table>
<p id="said" class="soft" role="status"></p>
<h2>Your orders here</h2><table><thead><tr><th>Order</th><th>Status</th><th class="number">Total</th></tr></thead><tbody id="orders"></tbody></table>`;

const SCRIPT = `
const mine = JSON.parse(sessionStorage.getItem("orders") ?? "[]");
const say = (text) => { document.getElementById("said").textContent = text };
async function buy(sku) {
  const answer = await session.ask("/orders", { method: "POST", headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
    body: JSON.stringify({ customerId: "storefront", lines: [{ sku, quantity: 1 }] }) });
  const body = await answer.json();
  if (!answer.ok) return say(body.detail);
  mine.unshift(body.orderId); changes.add(["orders/" + body.orderId]); sessionStorage.setItem("orders", JSON.stringify(mine.slice(0, 10))); say("Ordered " + sku); show();
}
async function show() {
  const rows = await Promise.all(mine.slice(0, 10).map(async (id) => {
    const order = await get("/orders/" + id).catch(() => undefined); const row = el("tr");
    row.append(el("td", id), el("td", order ? order.status + (order.reason ? " (" + order.reason + ")" : "") : "…"), el("td", order ? money(order.total, order.currency) : "", { className: "number" }));
    return row;
  }));
  if (rows.length === 0) { const row = el("tr"); row.append(el("td", "Nothing ordered from this browser yet", { colSpan: 3, className: "soft" })); rows.push(row) }
  fill("orders", ...rows);
}
const changes = live(mine.slice(0, 10).map((id) => "orders/" + id), show);
const { items } = await get("/products?limit=200").catch((error) => (say(String(error.message)), { items: [] }));
fill("products", ...items.map(({ sku, name, price, currency }) => {
  const row = el("tr"), cell = el("td"), button = el("button", "Order"); button.onclick = () => buy(sku); cell.append(button);
  row.append(el("td", sku), el("td", name), el("td", money(price, currency), { className: "number" }), cell); return row;
}));
show(); setInterval(show, 30_000);`;

/** The storefront: products to order, and what became of the orders placed in this tab. */
export function storefrontPage(): string {
  return layout({ path: "/", title: "Shop", main: MAIN, script: SCRIPT });
}
