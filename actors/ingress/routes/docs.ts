import { type DocumentDecoration, Elysia } from "elysia";
import { ACCESS } from "#infra/http/access.ts";
import { Problem } from "#infra/http/problem.ts";
import { DOCS_ROOT, site } from "../docs/site.ts";

const hidden = { detail: { hide: true, [ACCESS]: "open" } as DocumentDecoration };

/** No script at all, and nothing from another host. */
const HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};
const QUERY_AT_MOST = 100;

/** The documentation, for everybody: `/docs`. */
export function docsRoutes() {
  return new Elysia({ name: "docs" })
    .get(DOCS_ROOT, async () => html((await site()).page("")), hidden)
    .get(
      `${DOCS_ROOT}/docs.css`,
      async () =>
        new Response((await site()).style, { headers: { ...HEADERS, "content-type": "text/css; charset=utf-8" } }),
      hidden,
    )
    .get(
      `${DOCS_ROOT}/search`,
      async ({ request }) => {
        const query = new URL(request.url).searchParams.get("q") ?? "";
        return html((await site()).search(query.slice(0, QUERY_AT_MOST)));
      },
      hidden,
    )
    .get(
      `${DOCS_ROOT}/:page`,
      async ({ params }) => {
        const made = await site();
        const file = made.file(params.page);
        if (file === undefined) return html(made.page(params.page));
        return new Response(file, { headers: { ...HEADERS, "content-type": "text/plain; charset=utf-8" } });
      },
      hidden,
    )
    .get(
      `${DOCS_ROOT}/:page/:below`,
      async ({ params }) => html((await site()).page(`${params.page}/${params.below}`)),
      hidden,
    );
}

function html(text: string | undefined): Response {
  if (text === undefined) throw new Problem(404, "not_found", "There is no such page: /docs lists all");
  return new Response(text, { headers: { ...HEADERS, "content-type": "text/html; charset=utf-8" } });
}
