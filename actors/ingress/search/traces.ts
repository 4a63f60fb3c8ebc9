import type { KeptSpan, TraceStore, TraceSummary } from "#infra/otel/trace-store.ts";
import type { Finder } from "./find.ts";
import { type Hit, hit, HITS_OF_A_KIND } from "./hit.ts";

/** Shorter texts are in nearly every span. */
const LETTERS = 3;

/** Finds traces by their id, or by what their spans say of a key. The failed ones come first. */
export function traceFinder(traces: Pick<TraceStore, "get" | "list">): Finder {
  return {
    kinds: ["trace"],
    scope: "admin",
    find({ text, keys, orderIds }) {
      const known = traces.get(text);
      if (known !== undefined) return [traceHit(traces, summaryOf(text, known.spans))];
      const wanted = orderIds[0] ?? keys.at(-1) ?? text;
      if (wanted.length < LETTERS) return [];
      return traces
        .list({ text: wanted }, HITS_OF_A_KIND)
        .toSorted((a, b) => Number(b.failures > 0) - Number(a.failures > 0))
        .map((trace) => traceHit(traces, trace));
    },
  };
}

function summaryOf(traceId: string, spans: readonly KeptSpan[]): TraceSummary {
  const startMs = Math.min(...spans.map((span) => span.startMs));
  const endMs = Math.max(...spans.map((span) => span.endMs));
  const failures = spans.filter(({ failure }) => failure !== null).length;
  const [first] = spans;
  const root = first?.parentSpanId === null;
  return { traceId, name: first?.name ?? traceId, root, startMs, endMs, spans: spans.length, failures };
}

function traceHit(traces: Pick<TraceStore, "get">, trace: TraceSummary): Hit {
  const { traceId, name, startMs, endMs, spans, failures } = trace;
  const failed = failures === 0 ? undefined : deepestFailure(traces.get(traceId)?.spans ?? []);
  return hit({
    ...{ kind: "trace", id: traceId, title: name, failed: failures > 0, at: new Date(startMs).toISOString() },
    status: failures > 0 ? "failed" : "ok",
    detail:
      failed === undefined
        ? `${spans === 1 ? "1 span" : `${spans} spans`} in ${Math.round(endMs - startMs)} ms`
        : `${failed.name}: ${failed.failure}`,
    page: `/console/traces/${traceId}`,
    api: `/traces/${traceId}`,
  });
}

/** A failure is told by every span above it: the one that began last is where it came from. */
function deepestFailure(spans: readonly KeptSpan[]): KeptSpan | undefined {
  return spans.findLast(({ failure }) => failure !== null);
}
