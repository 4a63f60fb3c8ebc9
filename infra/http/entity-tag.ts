import { textHash } from "#runtime/internal";
import { mark } from "./mark.ts";

/** Kept by whoever asked, and by nobody between; asked for again each time, as only the server knows whether it is still so. */
const CACHE = "private, no-cache";

/**
 * A JSON answer with an `ETag` of its content; 304 without a body where `If-None-Match` names that. The same content has the same
 * tag, whichever process answers.
 */
export function taggedResponse(request: Request, status: number, body: unknown): Response {
  const text = JSON.stringify(body);
  const tag = `"${textHash(text)}-${text.length.toString(36)}"`;
  const headers = { etag: tag, "cache-control": CACHE };
  const known = request.headers.get("if-none-match");
  const response =
    known !== null && matches(known, tag)
      ? new Response(null, { status: 304, headers })
      : new Response(text, { status, headers: { "content-type": "application/json", ...headers } });
  mark(response, request);
  return response;
}

/** Weakly, as `If-None-Match` is compared: who packed the answer in between has made the tag weak. */
function matches(known: string, tag: string): boolean {
  return known.split(",").some((one) => {
    const name = one.trim();
    return name === "*" || name === tag || name === `W/${tag}`;
  });
}
