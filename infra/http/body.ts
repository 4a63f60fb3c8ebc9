import { parseExactJson, parseJson } from "./json-text.ts";
import { Patience } from "./patience.ts";
import { Problem } from "./problem.ts";

/** Bytes of a request body, at most, unless {@link limitBody} says otherwise. */
export const MAX_BODY_BYTES = 1024 * 1024;

/** How nearly everybody says it: not worth a look at its parts. */
const PLAIN_JSON = "application/json";
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where a request keeps the limit of its body, when it has one of its own. */
const LIMIT = Symbol("limit");
type Limited = Request & { [LIMIT]?: number };

/** Bounds the body of one request to `bytes`. */
export function limitBody(request: Request, bytes: number): void {
  if (bytes !== MAX_BODY_BYTES) (request as Limited)[LIMIT] = bytes;
}

function limitOf(request: Request): number {
  return (request as Limited)[LIMIT] ?? MAX_BODY_BYTES;
}

/** Milliseconds a body may take from its first byte to its last: who sends byte by byte does not keep a request open. */
const MAX_BODY_MS = 20_000;
/** The bodies that are on their way. */
const BODIES = new Patience();

/** @throws {Problem} 413 by `Content-Length` alone, before a byte of the body is read. */
export function refuseLargeBody(request: Request, limit: number = limitOf(request)): void {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit) throw tooLarge(limit);
}

/**
 * The bytes of a body, counted as they come: a body without `Content-Length` is cut off at the limit.
 * @throws {Problem} 413 over the limit; 400 when the sender breaks off, or takes longer than `withinMs`.
 */
export function readBytes(
  request: Request,
  limit: number = limitOf(request),
  withinMs: number = MAX_BODY_MS,
): Promise<Uint8Array> {
  const declared = request.headers.get("content-length");
  if (declared !== null && Number(declared) > limit) return Promise.reject(tooLarge(limit));
  // With a Content-Length, HTTP itself bounds the body, and one read is much cheaper than a stream of chunks; only to look
  // whether there is a body would make a stream of it.
  if (declared !== null) return BODIES.within(withinMs, request.arrayBuffer(), bytesOf, tooSlow, incomplete);
  if (request.body === null) return Promise.resolve(new Uint8Array());
  return BODIES.within(withinMs, collect(request.body, limit), bytesOf, tooSlow, incomplete);
}

function bytesOf(read: ArrayBuffer | Uint8Array): Uint8Array {
  return read instanceof Uint8Array ? read : new Uint8Array(read);
}

function incomplete(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem(400, "body.incomplete", "The body ended before it was complete", { cause: error });
}

/**
 * The JSON of a body, strictly: see {@link parseJson}. `undefined` when there is no body at all.
 * @param parse `parseExactJson` keeps numbers as their texts say.
 * @throws {Problem} 400 unreadable, 413 too large, 415 not JSON in UTF-8.
 */
export async function readJson(request: Request, parse: (text: string) => unknown = parseJson): Promise<unknown> {
  refuseLargeBody(request);
  const type = request.headers.get("content-type");
  if (type !== null) requireJson(type);
  refuseEncoding(request);
  const bytes = await readBytes(request);
  if (bytes.length === 0) return undefined;
  if (type === null) throw unsupported();
  return parse(decode(bytes));
}

/**
 * The JSON of bytes that were read already, as strictly as {@link readJson}, with numbers as their texts say.
 * @throws {Problem} 400 unreadable or empty, 415 not JSON in UTF-8.
 */
export function exactJsonOf(bytes: Uint8Array, contentType: string | null): unknown {
  if (contentType === null) throw unsupported();
  requireJson(contentType);
  if (bytes.length === 0) throw new Problem(400, "body.missing", "The request needs a JSON body");
  return parseExactJson(decode(bytes));
}

/** @throws {Problem} 415: what is compressed can be much larger than it says. */
export function refuseEncoding(request: Request): void {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding.toLowerCase() !== "identity") {
    throw new Problem(415, "media_type.encoding", "The body must come without Content-Encoding");
  }
}

/** Whether a media type is JSON. */
export function isJson(contentType: string): boolean {
  if (contentType === PLAIN_JSON) return true;
  const media = (contentType.toLowerCase().split(";")[0] ?? "").trim();
  return media === "application/json" || /^application\/[a-z0-9.!#$&^_-]+\+json$/.test(media);
}

function requireJson(contentType: string): void {
  if (contentType === PLAIN_JSON) return;
  const [, ...parameters] = contentType.toLowerCase().split(";");
  if (!isJson(contentType)) throw unsupported();
  const charset = parameters.map((p) => p.trim()).find((p) => p.startsWith("charset="));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) throw unsupported();
}

/** @throws {Problem} 400: the bytes are not UTF-8. */
export function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes);
  } catch {
    throw new Problem(400, "json.malformed", "The body is not UTF-8");
  }
}

async function collect(body: ReadableStream<Uint8Array>, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  // A reader, since not every host's streams can be iterated.
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    size += value.byteLength;
    if (size > limit) {
      void reader.cancel().catch(() => undefined);
      throw tooLarge(limit);
    }
    chunks.push(value);
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}

function tooLarge(limit: number): Problem {
  return new Problem(413, "body.too_large", `The body is larger than ${limit} bytes`, {
    headers: { connection: "close" },
  });
}

function tooSlow(withinMs: number): Problem {
  return new Problem(400, "body.too_slow", `The body was not complete after ${withinMs} ms`, {
    headers: { connection: "close" },
  });
}

function unsupported(): Problem {
  return new Problem(415, "media_type.unsupported", "The body must be application/json in UTF-8");
}
