/** A span as `GET /traces/:id` shows it. */
export interface Span {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: string;
  readonly service: string;
  readonly offsetMs: number;
  readonly durationMs: number;
  readonly failure: string | null;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A span where it stands in its trace. */
export interface PlacedSpan {
  readonly span: Span;
  readonly depth: number;
}

/** The spans in the order of a waterfall: each behind what it is part of. What hangs on a span that is not there stands at the left. */
export function placed(spans: readonly Span[]): PlacedSpan[] {
  const known = new Set(spans.map(({ spanId }) => spanId));
  const parts = Map.groupBy(spans, ({ parentSpanId }) =>
    parentSpanId !== null && known.has(parentSpanId) ? parentSpanId : "",
  );
  const rows: PlacedSpan[] = [];
  const seen = new Set<string>();
  const walk = (parent: string, depth: number): void => {
    for (const span of parts.get(parent) ?? []) {
      if (seen.has(span.spanId)) continue;
      seen.add(span.spanId);
      rows.push({ span, depth });
      walk(span.spanId, depth + 1);
    }
  };
  walk("", 0);
  return rows;
}

/** What a span is about, which gives its bar the colour. */
export function themeOf({ attributes }: Span): "http" | "turn" | "store" | "broker" | "workflow" | "other" {
  if (attributes["http.request.method"] !== undefined) return "http";
  if (attributes["db.operation.name"] !== undefined) return "store";
  if (attributes["messaging.system.name"] !== undefined) return "broker";
  if (attributes["rpc.system.name"] === "temporal") return "workflow";
  return attributes["troupe.actor.type"] === undefined ? "other" : "turn";
}
