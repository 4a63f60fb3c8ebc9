import type { Asset } from "./bundle.ts";

/** Nothing from another host, nothing inline: what a page runs are the files it came with. */
const PAGE_HEADERS = {
  "cache-control": "no-cache",
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** The name holds a hash of the content. */
const ASSET_HEADERS = { "cache-control": "public, max-age=31536000, immutable", "x-content-type-options": "nosniff" };

/** A document, as every browser takes it. */
export function servePage(request: Request, asset: Asset): Response {
  return serve(request, asset, PAGE_HEADERS);
}

/** A script, style or font, to be kept for ever. */
export function serveAsset(request: Request, asset: Asset): Response {
  return serve(request, asset, ASSET_HEADERS);
}

function serve(request: Request, asset: Asset, headers: Readonly<Record<string, string>>): Response {
  const [encoding, body] = encodingOf(request.headers.get("accept-encoding") ?? "", asset);
  return new Response(body as Uint8Array<ArrayBuffer>, {
    headers: {
      ...headers,
      "content-type": asset.type,
      vary: "accept-encoding",
      ...(encoding !== undefined && { "content-encoding": encoding }),
    },
  });
}

/** The smallest form the browser takes. A coding it forbids (`br;q=0`) is none it takes. */
function encodingOf(accepted: string, asset: Asset): readonly [string | undefined, Uint8Array] {
  const takes = (coding: string): boolean =>
    accepted.split(",").some((part) => {
      const [name, ...parameters] = part.split(";").map((text) => text.trim().toLowerCase());
      return name === coding && !parameters.some((parameter) => /^q=0(?:\.0*)?$/.test(parameter));
    });
  if (asset.brotli !== undefined && takes("br")) return ["br", asset.brotli];
  if (asset.gzip !== undefined && takes("gzip")) return ["gzip", asset.gzip];
  return [undefined, asset.plain];
}
