import type { Random } from "../chaos/random.ts";
import {
  HOSTILE_BODIES,
  HOSTILE_HEADERS,
  HOSTILE_HOSTS,
  HOSTILE_PARTS,
  HOSTILE_QUERIES,
  HOSTILE_TEXTS,
  MEDIA_TYPES,
} from "./hostile.ts";
import { sample, type SampleSchema } from "./sample.ts";
import type { WireRequest } from "./wire.ts";

/** An operation of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** As in `/orders/{id}`. */
  readonly path: string;
  readonly body: SampleSchema | undefined;
  /** Whether it answers without end: it is asked in other tests. */
  readonly streams: boolean;
}

/** Who asks. */
export type Asker = "nobody" | "stranger" | "admin";
/** Most of what there is to break lies behind a good key. */
const ASKERS: readonly Asker[] = ["admin", "nobody", "admin", "stranger", "admin"];

/** One request of a run. */
export interface Input {
  readonly asker: Asker;
  readonly request: WireRequest;
}

/** Every operation of an OpenAPI document. */
export function operationsOf(document: unknown): Operation[] {
  const { paths } = document as { paths: Record<string, Record<string, DocumentedOperation>> };
  return Object.entries(paths).flatMap(([path, operations]) =>
    Object.entries(operations).map(([method, { requestBody, parameters = [] }]) => ({
      method: method.toUpperCase(),
      path,
      body: requestBody?.content["application/json"]?.schema,
      streams: path.endsWith("/watch") || parameters.some(({ name }) => name === "follow"),
    })),
  );
}

interface DocumentedOperation {
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema?: SampleSchema }>> };
  readonly parameters?: readonly { readonly name: string }[];
}

/**
 * `count` requests: every operation with every asker in turn, each time with something else wrong about it. The same seed makes
 * the same requests of the same document.
 * @param keys what each asker sends as bearer token.
 */
export function* inputs(
  operations: readonly Operation[],
  keys: Readonly<Record<Asker, string | undefined>>,
  random: Random,
  count: number,
): Generator<Input> {
  for (let i = 0; i < count; i++) {
    const operation = operations[i % operations.length] as Operation;
    const asker = ASKERS[Math.floor(i / operations.length) % ASKERS.length] as Asker;
    yield { asker, request: requestOf(operation, keys[asker], random) };
  }
}

/** Parts of paths that some route takes. */
const NAMES = [
  "a",
  "web",
  "TEA-1",
  "order",
  "order.placed.v1",
  "fulfilOrder",
  "fulfil-order%2Ford_1",
  "ord_00000000-0000-7000-8000-000000000000",
  "key_00000000-0000-7000-8000-000000000000",
  "ep_00000000-0000-7000-8000-000000000000",
];
const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"];

function requestOf(operation: Operation, key: string | undefined, random: Random): WireRequest {
  const headers: [string, string][] = [];
  if (key !== undefined) headers.push(["authorization", `Bearer ${key}`]);
  if (random.next() < 0.3) {
    const [name, value] = random.pick(HOSTILE_HEADERS);
    if (name !== "authorization" || key === undefined) headers.push([name, value]);
  }
  if (random.next() < 0.05) headers.push(...random.pick(HOSTILE_HOSTS).map((host): [string, string] => ["host", host]));
  const method = random.next() < 0.9 ? operation.method : random.pick(METHODS);
  const target = targetOf(operation, random);
  const bodiless = method === "GET" || method === "HEAD" || method === "TRACE" || method === "OPTIONS";
  if (bodiless && random.next() < 0.95) return { method, target, headers, framing: "length" };
  const nearly = operation.body !== undefined && random.next() < 0.5;
  const media = nearly || random.next() < 0.5 ? "application/json" : random.pick(MEDIA_TYPES);
  if (media !== undefined) headers.push(["content-type", media]);
  return {
    method,
    target,
    headers,
    body: nearly ? encode(JSON.stringify(sample(operation.body, random))) : encode(random.pick(HOSTILE_BODIES)),
    framing: random.next() < 0.8 ? "length" : "chunked",
  };
}

function targetOf({ path }: Operation, random: Random): string {
  if (random.next() < 0.05) return `${random.pick(["//", "/./", "/../", "/%2e%2e/"])}${random.pick(HOSTILE_PARTS)}`;
  const filled = path.replaceAll(/\{[^}]+\}|\*/g, () =>
    random.next() < 0.5
      ? random.pick(NAMES)
      : random.next() < 0.8
        ? random.pick(HOSTILE_PARTS)
        : encodeURIComponent(random.pick(HOSTILE_TEXTS).toWellFormed()),
  );
  return (random.next() < 0.3 ? filled + random.pick(HOSTILE_QUERIES) : filled).slice(0, 8_000);
}

function encode(body: string | Uint8Array): Uint8Array {
  return typeof body === "string" ? new TextEncoder().encode(body) : body;
}
