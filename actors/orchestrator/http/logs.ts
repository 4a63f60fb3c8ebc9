import { type DocumentDecoration, Elysia } from "elysia";
import * as v from "valibot";
import { Job } from "#actors/orchestrator/job/job.ts";
import { jobService } from "#actors/orchestrator/job/messages.ts";
import { ServiceName } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { endpoint, notFound } from "#infra/http/endpoint.ts";
import { jsonResponse } from "#infra/http/mark.ts";
import { operationOf } from "#infra/http/operation.ts";
import { targetOf } from "#infra/http/target.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { check } from "#infra/http/validate.ts";
import { durationMs, isDuration } from "#runtime";
import { ORCHESTRATOR_REFUSALS } from "./refusals.ts";
import type { OrchestratorDeps } from "./requests.ts";
import { elsewhere } from "./seeing-endpoints.ts";
import { ServiceLine } from "./seeing.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
const MAX_LINES = 1_000;
const PING_MS = 15_000;

const ByName = v.object({ name: ServiceName });
const Query = v.strictObject({
  follow: v.optional(v.picklist(["true", "false"]), "false"),
  /** A time, or how long ago: `15m`. */
  since: v.optional(
    v.pipe(
      v.string(),
      v.check(
        (text) => isDuration(text) || !Number.isNaN(Date.parse(text)),
        'must be a time, or how long ago, as in "15m"',
      ),
      v.transform((text) =>
        new Date(isDuration(text) ? Date.now() - durationMs(text) : Date.parse(text)).toISOString(),
      ),
    ),
  ),
  grep: v.optional(v.pipe(v.string(), v.maxLength(256))),
  level: v.optional(v.picklist(LEVELS), "debug"),
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,4}$/), v.transform(Number), v.minValue(1), v.maxValue(MAX_LINES)),
    "200",
  ),
});

const SPEC = {
  tag: "Services",
  noun: "service",
  refusals: ORCHESTRATOR_REFUSALS.service,
  scope: "services",
  method: "GET",
  path: "/services/:name/logs",
  summary: "Show what the containers of a service wrote",
  description:
    "Across the generations of its containers, oldest first. `grep` is a text to be found in a line. With `follow=true` the lines come as server-sent events (`event: line`), first those that were kept, then each new one.",
  params: ByName,
  query: Query,
  answer: {
    status: 200,
    description: "The newest lines that fit",
    schema: v.object({ items: v.array(ServiceLine), next: v.null() }),
  },
  problems: [404, 422],
} as const;

/** `GET /services/:name/logs`, as JSON or as a stream. */
export function logRoute({ troupe, containers }: OrchestratorDeps) {
  // The spec alone: the answer may be a stream, which endpoints do not make.
  const { spec } = endpoint(SPEC as never, () => undefined as never);
  const detail = operationOf(spec) as object as DocumentDecoration;
  return new Elysia({ name: "service-logs" }).get(
    SPEC.path,
    async ({ request, params }) => {
      try {
        const { name } = check(ByName, params, "path");
        const asked = check(Query, Object.fromEntries(new URLSearchParams(targetOf(request).query)), "query");
        const isJob = (await troupe().ref(Job, name).get()) !== null;
        if (!isJob && (await troupe().ref(Service, name).get()) === null) throw notFound("service");
        const whose = isJob ? jobService(name) : name;
        const own = containers?.();
        if (!own) throw elsewhere();
        const fits = (line: ServiceLine): boolean =>
          LEVELS.indexOf(line.level) >= LEVELS.indexOf(asked.level) &&
          (asked.grep === undefined || line.text.includes(asked.grep));
        const since = asked.since === undefined ? {} : { since: asked.since };
        if (asked.follow === "true")
          return streamOf(request, (signal) => own.logs(whose, { ...since, follow: true, signal }), fits);
        const items: ServiceLine[] = [];
        // Without a filter the newest lines are the ones that are shown.
        const all = asked.grep === undefined && asked.level === "debug";
        const part = { ...since, ...(all && { tail: asked.limit }) };
        for await (const line of own.logs(whose, { ...part, follow: false, signal: request.signal })) {
          if (!fits(line)) continue;
          items.push(line);
          if (items.length > asked.limit) items.shift();
        }
        return jsonResponse(request, 200, { items, next: null }, {});
      } catch (error) {
        throw toProblem(error, SPEC);
      }
    },
    { detail },
  );
}

/** Server-sent events until the client goes. */
function streamOf(
  request: Request,
  open: (signal: AbortSignal) => AsyncIterable<ServiceLine>,
  fits: (line: ServiceLine) => boolean,
): Response {
  const stop = new AbortController();
  request.signal.addEventListener("abort", () => stop.abort(), { once: true });
  const encoder = new TextEncoder();
  let ping: ReturnType<typeof setInterval> | undefined;
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      const write = (text: string): void => {
        if ((controller.desiredSize ?? 0) < -1_000) stop.abort(); // reads nothing: a slow reader comes back with `since`
        else controller.enqueue(encoder.encode(text));
      };
      write(": lines follow\n\n");
      ping = setInterval(() => write(": still here\n\n"), PING_MS);
      try {
        for await (const line of open(stop.signal)) {
          if (stop.signal.aborted) break;
          if (fits(line)) write(`event: line\nid: ${line.at}\ndata: ${JSON.stringify(line)}\n\n`);
        }
        controller.close();
      } catch {
        // The client has gone, or the engine: the stream ends.
        try {
          controller.close();
        } catch {
          // It is closed.
        }
      }
      clearInterval(ping);
    },
    cancel() {
      clearInterval(ping);
      stop.abort();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-store" } });
}
