import { type DocumentDecoration, Elysia } from "elysia";
import { ACCESS } from "#infra/http/access.ts";
import type { Links } from "../deps.ts";
import { clusterPage } from "../web/cluster.ts";
import { consolePage } from "../web/console.ts";
import { openApiPage } from "../web/openapi.ts";
import { storefrontPage } from "../web/storefront.ts";

/** The pages hold their own script and style, and load nothing from anywhere else: they work without internet. */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
};
/** The pages are for everybody: what they show, they ask for like anybody else. */
const hidden = { detail: { hide: true, [ACCESS]: "open" } as DocumentDecoration };
const html = (text: string): Response => new Response(text, { headers: HEADERS });

/** `/`, `/console`, `/console/cluster`, `/openapi` and the OpenAPI document. */
export function pageRoutes(links: Links, document: () => Record<string, unknown>) {
  return new Elysia({ name: "pages" })
    .get("/", () => html(storefrontPage()), hidden)
    .get("/console", () => html(consolePage(links.temporalUi)), hidden)
    .get("/console/cluster", () => html(clusterPage()), hidden)
    .get("/openapi", () => html(openApiPage()), hidden)
    .get("/openapi/json", () => Response.json(document()), hidden);
}
