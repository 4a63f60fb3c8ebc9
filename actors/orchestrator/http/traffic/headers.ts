import { traceOf } from "#infra/http/trace.ts";

/** Headers that belong to one connection alone (RFC 9110, 7.6.1). */
const HOP_BY_HOP = [
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** A key of ours: for us, not for the container. */
const OWN_KEY = /^bearer\s+tk_/i;

/** What a container gets of a request's headers. */
export function headersOnward(request: Request, peer: string | undefined): Headers {
  const headers = new Headers(request.headers);
  for (const name of headers.get("connection")?.split(",") ?? []) if (name.trim() !== "") headers.delete(name.trim());
  for (const name of HOP_BY_HOP) headers.delete(name);
  if (OWN_KEY.test(headers.get("authorization") ?? "")) headers.delete("authorization");
  const before = headers.get("x-forwarded-for");
  if (peer !== undefined) headers.set("x-forwarded-for", before === null ? peer : `${before}, ${peer}`);
  headers.set("x-forwarded-host", headers.get("host") ?? "");
  headers.set("x-forwarded-proto", headers.get("x-forwarded-proto") ?? "http");
  headers.set("traceparent", traceOf(request).traceparent);
  return headers;
}

/** What the client gets of a container's headers. */
export function headersBack(response: Response): Headers {
  const headers = new Headers(response.headers);
  for (const name of HOP_BY_HOP) headers.delete(name);
  return headers;
}
