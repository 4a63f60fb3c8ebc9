import { connect } from "node:net";

/** A request as bytes: nothing between us and the server puts it right. */
export interface WireRequest {
  readonly method: string;
  /** As it stands in the request line. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: Uint8Array;
  /** How the body's length is told. */
  readonly framing: "length" | "chunked";
}

/** An answer as it came. `status` is 0 where the server closed the connection without one. */
export interface WireAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** Sends one request on a connection of its own, and reads until the server closes it. @throws after `withinMs` without an end. */
export async function sendRaw(url: URL, request: WireRequest, withinMs = 60_000): Promise<WireAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const chunks: Buffer[] = [];
  const socket = connect(Number(url.port), url.hostname);
  const timer = setTimeout(() => reject(new Error(`No end of the answer within ${withinMs} ms`)), withinMs);
  socket.on("data", (chunk: Buffer) => void chunks.push(chunk));
  // A server that refuses a body early closes while it is still being sent: what it said counts.
  socket.on("error", () => undefined);
  socket.on("close", () => resolve(Buffer.concat(chunks)));
  socket.write(bytesOf(url, request));
  try {
    return answerOf(await promise);
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
}

function bytesOf(url: URL, { method, target, headers, body, framing }: WireRequest): Buffer {
  const given = new Set(headers.map(([name]) => name));
  const lines = [
    `${method} ${target} HTTP/1.1`,
    ...(given.has("host") ? [] : [`host: ${url.host}`]),
    ...headers.map(([name, value]) => `${name}: ${value}`),
    "connection: close",
  ];
  if (body === undefined) return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  lines.push(framing === "chunked" ? "transfer-encoding: chunked" : `content-length: ${body.length}`);
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  if (framing === "length") return Buffer.concat([head, body]);
  const size = Buffer.from(body.length === 0 ? "" : `${body.length.toString(16)}\r\n`);
  return Buffer.concat([head, size, body, Buffer.from(body.length === 0 ? "0\r\n\r\n" : "\r\n0\r\n\r\n")]);
}

function answerOf(bytes: Buffer): WireAnswer {
  const end = bytes.indexOf("\r\n\r\n");
  if (end < 0) return { status: 0, headers: new Headers(), body: bytes.toString() };
  const [first = "", ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const status = Number(first.split(" ")[1]);
  // 100 Continue is not the answer yet.
  if (status === 100) return answerOf(bytes.subarray(end + 4));
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1).trim());
  const rest = bytes.subarray(end + 4);
  const body = headers.get("transfer-encoding") === "chunked" ? unchunked(rest) : rest;
  return { status, headers, body: body.toString() };
}

function unchunked(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const line = bytes.indexOf("\r\n", at);
    const size = line < 0 ? 0 : Number.parseInt(bytes.subarray(at, line).toString(), 16);
    if (!(size > 0)) break;
    parts.push(bytes.subarray(line + 2, line + 2 + size));
    at = line + 2 + size + 2;
  }
  return Buffer.concat(parts);
}
