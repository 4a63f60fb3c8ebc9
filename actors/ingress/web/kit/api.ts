import { QueryClient } from "@tanstack/react-query";
import { openSession, type PageSession } from "../session.ts";

/** A refused request, as problem+json says it. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly traceId: string | undefined;
  readonly errors: readonly { readonly path: string; readonly message: string }[];

  constructor(status: number, problem: Problem, traceId: string | undefined) {
    super(problem.detail ?? problem.title ?? `The server answered ${status}`);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.traceId = problem.traceId ?? traceId;
    this.errors = problem.errors ?? [];
  }
}

interface Problem {
  readonly title?: string;
  readonly detail?: string;
  readonly code?: string;
  readonly traceId?: string;
  readonly errors?: readonly { readonly path: string; readonly message: string }[];
}

type KeyAsked = (question: { readonly refused: boolean; readonly answer: (key: string) => void }) => void;
let askPerson: KeyAsked | undefined;

/** Called by the sign-in dialog once it can ask. */
export function onKeyAsked(ask: KeyAsked): void {
  askPerson = ask;
}

/** Who this page speaks for. */
export const session: PageSession = openSession({
  storage: sessionStorage,
  send: (path, init) => fetch(path, init),
  askForKey: (refused) => new Promise((answer) => askPerson?.({ refused, answer })),
  socketUrl: `${location.origin.replace("http", "ws")}/ws`,
});

/**
 * Asks the API for JSON.
 * @throws {ApiError} for a problem; a `TypeError` where the server cannot be reached.
 */
export async function ask<T>(path: string, init: RequestInit & { readonly json?: unknown } = {}): Promise<T> {
  const { json, ...rest } = init;
  const headers = new Headers(rest.headers);
  if (json !== undefined) headers.set("content-type", "application/json");
  const response = await session.ask(path, {
    ...rest,
    headers,
    ...(json !== undefined && { body: JSON.stringify(json) }),
  });
  const traceId = response.headers.get("x-trace-id") ?? undefined;
  const text = await response.text();
  const body = text === "" ? undefined : parse(text);
  // `/ready` answers 503 with what it is asked for.
  if (!response.ok && !(typeof body === "object" && body !== null && "components" in body))
    throw new ApiError(response.status, (body ?? {}) as Problem, traceId);
  return body as T;
}

/** Writes with an id of its own, so that a repeat after a lost answer acts once. */
export function command<T>(
  path: string,
  json: unknown,
  method: "POST" | "PUT" | "PATCH" | "DELETE" = "POST",
): Promise<T> {
  return ask<T>(path, { method, json, headers: { "idempotency-key": crypto.randomUUID() } });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return { detail: text.slice(0, 200) };
  }
}

/** What was asked of the API, and when to ask again. The socket refreshes what it tells of; see {@link useLive}. */
export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2_000,
      refetchOnWindowFocus: true,
      retry: (failures, error) => !(error instanceof ApiError && error.status < 500) && failures < 2,
    },
  },
});
