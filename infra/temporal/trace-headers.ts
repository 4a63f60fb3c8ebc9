/**
 * Carries the trace of a request into the workflow that it starts, signals or updates. The SDK takes headers from
 * interceptors alone, so the `traceparent` of a call goes there by its async context.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import type { WorkflowClientInterceptor } from "@temporalio/client";
import { headerOf } from "./payloads.ts";

const traces = new AsyncLocalStorage<string>();

/** Runs calls of a client: what they start, signal or update is part of this trace. */
export function inTrace<T>(traceparent: string | undefined, calls: () => Promise<T>): Promise<T> {
  return traceparent === undefined ? calls() : traces.run(traceparent, calls);
}

/** For the client of a connection. */
export const traceHeaders: WorkflowClientInterceptor = {
  startWithDetails: (input, next) => next(traced(input)),
  signal: (input, next) => next(traced(input)),
  startUpdate: (input, next) => next(traced(input)),
};

function traced<I extends { readonly headers: object }>(input: I): I {
  const fields = headerOf({ traceparent: traces.getStore() }).header?.fields;
  return fields === undefined ? input : { ...input, headers: { ...input.headers, ...fields } };
}
