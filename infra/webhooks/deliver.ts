/**
 * Sends a webhook to an address somebody else has chosen, without becoming their way into this network.
 *
 * D1 The address that was checked is the address that is dialled: the name is resolved here, once, and the request goes
 *    to the literal address with the name as `Host` and as the TLS server name (no DNS rebinding).
 * D2 All addresses of a name must be public, not only the one that is dialled.
 * D3 A redirect is not followed: it would be a second address nobody checked. It is a failure of the receiver.
 * D4 At most 64 KB of an answer are read, and the whole takes at most 15 s.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
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

/** D4: 15 s for the whole attempt, 64 KB of the answer. */
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
    const address = addresses[0];
    if (address === undefined) return { kind: "unreachable", detail: `The name ${host} has no address` };
    if (!addresses.every(allows))
      return { kind: "forbidden", detail: `The name ${host} leads to an address that is not public` }; // D2
    const dialled = new URL(target);
    dialled.hostname = isIP(address) === 6 ? `[${address}]` : address; // D1
    const response = await fetch(dialled, {
      method: "POST",
      headers: { ...headers, host: target.host },
      body,
      redirect: "manual", // D3
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

async function resolveAll(name: string): Promise<readonly string[]> {
  return (await lookup(name, { all: true })).map(({ address }) => address);
}

function within<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const late = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
  });
  return Promise.race([promise, late]);
}

/** D4: the rest is not read, and the connection is given up. */
async function readAtMost(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let left = maxBytes;
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = (await reader.read()) as { done: boolean; value?: Uint8Array };
    if (done || value === undefined) return text + decoder.decode();
    text += decoder.decode(value.subarray(0, left), { stream: true });
    left -= value.length;
    if (left > 0) continue;
    await reader.cancel();
    return text;
  }
}

function bare(hostname: string): string {
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/** The code alone (`ECONNREFUSED`): the client's text may hold the address. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.name : "unknown";
}
