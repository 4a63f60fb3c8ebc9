/**
 * Sends a webhook to an address somebody else has chosen, without becoming their way into this network.
 *
 * D1 The address that was checked is the address that is dialled: the name is resolved here, once, and the request goes
 *    to the literal address with the name as `Host` and as the TLS server name (no DNS rebinding).
 * D2 All addresses of a name must be public, not only the one that is dialled.
 * D3 A redirect is not followed: it would be a second address nobody checked. It is a failure of the receiver.
 * D4 At most 64 KB of an answer are read, and the whole takes at most 15 s.
 * D5 The addresses of a name are dialled in turn, until one takes a connection. After that no other is tried: the request
 *    may have been read.
 * D6 The status counts as soon as the head of the answer is there, whatever becomes of its body.
 */
import { lookup } from "node:dns/promises";
import { connect, isIP } from "node:net";
import { isPublicAddress } from "./public-address.ts";

/** What came of one attempt. */
export type DeliveryOutcome =
  | { readonly kind: "answered"; readonly status: number; readonly body: string; readonly retryAfter?: string }
  /** The address is not one that may be dialled; it was not. */
  | { readonly kind: "forbidden"; readonly detail: string }
  /** No answer: refused, reset, no such name, a bad certificate, too slow. */
  | { readonly kind: "unreachable"; readonly detail: string };

export interface DeliveryOptions {
  /** Milliseconds for the whole attempt. @default DELIVERY_LIMITS.timeoutMs */
  readonly timeoutMs?: number;
  /** Bytes of the answer that are kept. @default DELIVERY_LIMITS.maxAnswerBytes */
  readonly maxAnswerBytes?: number;
  /** Which addresses may be dialled. @default isPublicAddress. For receivers inside the own network, on purpose. */
  readonly allows?: (address: string) => boolean;
  /** All addresses of a name. @default the system's resolver */
  readonly resolve?: (name: string) => Promise<readonly string[]>;
}

/** WebhooksDeliver.D4: 15 s for the whole attempt, 64 KB of the answer. */
export const DELIVERY_LIMITS = { timeoutMs: 15_000, maxAnswerBytes: 65_536 } as const;

const PORTS: Readonly<Record<string, number>> = { "http:": 80, "https:": 443 };

/**
 * Why a URL can never be delivered to, or `undefined`. For the moment an endpoint is registered; names are resolved and
 * checked at every delivery.
 */
export function urlFault(text: string, allows: (address: string) => boolean = isPublicAddress): string | undefined {
  if (text.length > 2_048) return "is longer than 2048 characters";
  if (!URL.canParse(text)) return "is not a URL";
  const url = new URL(text);
  if (PORTS[url.protocol] === undefined) return "does not begin with https:// or http://";
  if (url.username !== "" || url.password !== "") return "holds credentials";
  if (url.hash !== "") return "holds a fragment";
  const host = bare(url.hostname);
  if (isIP(host) !== 0) return allows(host) ? undefined : "leads to an address that is not public";
  if (!/^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/.test(host) && !allows("127.0.0.1")) return "names a host without a domain";
  return undefined;
}

/** Posts `body` to `url`. Never throws for what the receiver does or is. */
export async function deliver(
  url: string,
  { headers, body }: { readonly headers: Readonly<Record<string, string>>; readonly body: Uint8Array<ArrayBuffer> },
  options: DeliveryOptions = {},
): Promise<DeliveryOutcome> {
  const { timeoutMs, maxAnswerBytes } = { ...DELIVERY_LIMITS, ...options };
  const { allows = isPublicAddress, resolve = resolveAll } = options;
  const fault = urlFault(url, allows);
  if (fault !== undefined) return { kind: "forbidden", detail: `The URL ${fault}` };
  const target = new URL(url);
  const host = bare(target.hostname);
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const addresses = isIP(host) === 0 ? await within(resolve(host), signal) : [host];
    if (addresses.length === 0) return { kind: "unreachable", detail: `The name ${host} has no address` };
    if (!addresses.every(allows))
      return { kind: "forbidden", detail: `The name ${host} leads to an address that is not public` }; // WebhooksDeliver.D2
    const address = await dial(addresses.slice(0, MAX_ADDRESSES), portOf(target), signal); // WebhooksDeliver.D5
    const dialled = new URL(target);
    dialled.hostname = isIP(address) === 6 ? `[${address}]` : address; // WebhooksDeliver.D1
    const response = await fetch(dialled, {
      method: "POST",
      headers: { ...headers, host: target.host },
      body,
      redirect: "manual", // WebhooksDeliver.D3
      signal,
      ...(target.protocol === "https:" && isIP(host) === 0 && { tls: { serverName: host } }),
    });
    const answer = await readAtMost(response, maxAnswerBytes);
    const retryAfter = response.headers.get("retry-after");
    return { kind: "answered", status: response.status, body: answer, ...(retryAfter !== null && { retryAfter }) };
  } catch (error) {
    const detail = signal.aborted ? `No answer within ${timeoutMs} ms` : reasonOf(error);
    return { kind: "unreachable", detail };
  }
}

/** Addresses of one name that are dialled, at most. */
const MAX_ADDRESSES = 8;
/** Milliseconds an address has to take a connection, while there are others. */
const DIAL_MS = 2_000;

function portOf({ port, protocol }: URL): number {
  return port === "" ? (PORTS[protocol] as number) : Number(port);
}

/** The first address that takes a connection. @throws what the last one failed with. */
async function dial(addresses: readonly string[], port: number, signal: AbortSignal): Promise<string> {
  let failure: unknown;
  for (const [i, address] of addresses.entries()) {
    // With nothing left to turn to, the request itself finds out.
    if (i === addresses.length - 1) return address;
    failure = await refusal(address, port, signal);
    if (failure === undefined) return address;
    signal.throwIfAborted();
  }
  throw failure;
}

/** Why nothing listens there, or `undefined`: something does. */
function refusal(host: string, port: number, signal: AbortSignal): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const end = (failure: Error | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", aborted);
      socket.destroy();
      resolve(failure);
    };
    const aborted = (): void => end(new Error("aborted"));
    const timer = setTimeout(() => end(new Error("timeout")), DIAL_MS);
    signal.addEventListener("abort", aborted, { once: true });
    socket.once("connect", () => end(undefined));
    socket.once("error", end);
  });
}

async function resolveAll(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, late]);
}

/** Milliseconds that are waited for the body of an answer: it is shown, and decides nothing. */
const BODY_MS = 2_000;

/** WebhooksDeliver.D4, WebhooksDeliver.D6: the rest is not read, and the connection is given up. Never rejects. */
async function readAtMost(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let left = maxBytes;
  const reader = response.body.getReader();
  const timer = setTimeout(() => void reader.cancel().catch(() => undefined), BODY_MS);
  try {
    while (left > 0) {
      const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
      if (done || value === undefined) break;
      text += decoder.decode(value.subarray(0, left), { stream: true });
      left -= value.length;
    }
  } catch {
    // Broken off: what came is what is shown.
  }
  clearTimeout(timer);
  void reader.cancel().catch(() => undefined);
  return text + decoder.decode();
}

function bare(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** The code alone (`ECONNREFUSED`): the client's text may hold the address. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
}
