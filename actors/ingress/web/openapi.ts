import { layout } from "./layout.ts";

const MAIN = `<h1>API</h1><p class="soft">OpenAPI 3.1: <a href="/openapi/json">/openapi/json</a>. Errors are <code>application/problem+json</code>.</p><div id="operations"></div>`;

const SCRIPT = `
const { paths } = await get("/openapi/json");
const block = (title, value) => [el("p", title, { className: "soft" }), el("pre", JSON.stringify(value, null, 2))];
const byTag = new Map();
for (const [path, operations] of Object.entries(paths)) for (const [method, operation] of Object.entries(operations)) {
  const whole = el("details"), head = el("summary"), inside = el("div"), answers = Object.entries(operation.responses ?? {});
  head.append(el("span", method.toUpperCase(), { className: "method" }), el("code", path), el("span", "  " + (operation.summary ?? ""), { className: "soft" }));
  if (operation.description) inside.append(el("p", operation.description));
  for (const p of operation.parameters ?? []) inside.append(el("p", p.in + " " + p.name + (p.required ? "" : " (optional)") + ": " + JSON.stringify(p.schema)));
  for (const [type, { schema }] of Object.entries(operation.requestBody?.content ?? {})) inside.append(...block("Body, " + type, schema));
  for (const [status, { description, content }] of answers) {
    const [type, media] = Object.entries(content ?? {})[0] ?? [];
    if (type === "application/json") inside.append(...block(status + ": " + description, media.schema));
    else inside.append(el("p", status + ": " + description + (type ? " (" + type + ")" : "")));
  }
  whole.append(head, inside);
  const tag = operation.tags?.[0] ?? "Other";
  byTag.set(tag, [...(byTag.get(tag) ?? []), whole]);
}
fill("operations", ...[...byTag].flatMap(([tag, list]) => [el("h2", tag), ...list]));`;

/** The API page, drawn from the OpenAPI document by the page itself. */
export function openApiPage(): string {
  return layout({ path: "/openapi", title: "API", main: MAIN, script: SCRIPT });
}
