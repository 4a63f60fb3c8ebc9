import { type DocumentDecoration, Elysia } from "elysia";
import { ACCESS } from "#infra/http/access.ts";
import { Problem } from "#infra/http/problem.ts";
import { ASSETS_PATH, bundle, type DocumentName } from "../web/bundle.ts";
import { serveAsset, servePage } from "../web/serve.ts";

/** The pages are for everybody: what they show, they ask for like anybody else. */
const hidden = { detail: { hide: true, [ACCESS]: "open" } as DocumentDecoration };

/** The paths that an application of pages draws: any other below it is 404, as everywhere. */
const PATHS: Readonly<Record<DocumentName, readonly string[]>> = {
  shop: ["/", "/simulator", "/shop/checkout", "/shop/orders", "/shop/orders/:id"],
  console: [
    "/console",
    ...["actors", "events", "dead-letters", "workflows", "services", "traces"].flatMap((page) => [
      `/console/${page}`,
      `/console/${page}/:id`,
    ]),
    "/console/actors/:id/:key",
    ...["search", "brokers", "chaos", "config", "cluster", "metrics", "settings"].map((page) => `/console/${page}`),
  ],
  api: ["/openapi"],
};

/** The pages, the files they are made of, and the OpenAPI document. */
export function pageRoutes(document: () => Record<string, unknown>) {
  const app = new Elysia({ name: "pages" })
    .get("/openapi/json", () => Response.json(document()), hidden)
    .get(
      `${ASSETS_PATH}:name`,
      async ({ request, params }) => {
        const asset = (await bundle()).assets.get(params.name);
        if (asset === undefined) throw new Problem(404, "not_found", "There is nothing at this path");
        return serveAsset(request, asset);
      },
      hidden,
    );
  for (const [name, paths] of Object.entries(PATHS) as [DocumentName, readonly string[]][])
    for (const path of paths)
      app.get(path, async ({ request }) => servePage(request, (await bundle()).documents[name]), hidden);
  return app;
}
