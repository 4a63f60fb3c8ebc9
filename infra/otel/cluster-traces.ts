/**
 * The last traces of a whole cluster: each node keeps what it did itself, and is asked for it.
 *
 * Owns: how a list and a trace are put together of the parts that nodes have. Does not own: the way to them (`AskNodes`), what a node
 * keeps (`TraceStore`).
 *
 * C1 A trace of which several nodes have a part is one trace: its spans are those of all of them, each once.
 * C2 A node that is away is left out: what the others have is shown.
 */
import {
  byPlace,
  type KeptSpan,
  type TraceFilter,
  type TracePlace,
  type TraceStore,
  type TraceSummary,
} from "./trace-store.ts";

/** What nodes are asked. */
export type TraceQuestion =
  /** Traces whose part fits, the newest first, begun before this one. */
  | { readonly list: TraceFilter; readonly limit: number; readonly before: TracePlace | undefined }
  /** The parts of these traces. */
  | { readonly parts: readonly string[] }
  /** One trace, with its spans. */
  | { readonly trace: string };

/** A trace with its spans. */
export interface WholeTrace {
  readonly spans: readonly KeptSpan[];
  readonly dropped: number;
}

/** Asks the traces of every node, this one included. An answer is what {@link answerTraces} made; `undefined`: there was none. */
export type AskNodes = (question: TraceQuestion) => Promise<readonly unknown[]>;

/** Characters that one node answers at most: what is over it counts as dropped. */
const MAX_ANSWER = 600_000;

/** What this node answers. */
export function answerTraces(traces: TraceStore, question: TraceQuestion): unknown {
  if ("list" in question) return traces.list(question.list, question.limit, question.before);
  if ("parts" in question) return question.parts.flatMap((traceId) => traces.summary(traceId) ?? []);
  const found = traces.get(question.trace);
  if (found === undefined) return null;
  const spans: KeptSpan[] = [];
  let length = 0;
  for (const span of found.spans) {
    length += JSON.stringify(span).length;
    if (length > MAX_ANSWER) break;
    spans.push(span);
  }
  return { spans, dropped: found.dropped + found.spans.length - spans.length };
}

/** The traces of a cluster. */
export class ClusterTraces {
  readonly #ask: AskNodes;

  constructor(ask: AskNodes) {
    this.#ask = ask;
  }

  /**
   * Traces that fit, the one that began last first; one whose parts began on both sides of the end of a page may be on two. `text` and `failed: true` have to hold of a part that a node has, and so does
   * `minDurationMs`; `failed: false` of the whole.
   */
  async list(filter: TraceFilter, limit: number, before?: TracePlace): Promise<readonly TraceSummary[]> {
    const found: TraceSummary[] = [];
    for (let place = before; found.length < limit;) {
      const candidates = merged(await this.#ask({ list: filter, limit, before: place }));
      // Behind the last one of a full answer a node may have others that would stand before those of the rest.
      const page = candidates.slice(0, limit);
      if (page.length === 0) break;
      const whole = merged(await this.#ask({ parts: page.map(({ traceId }) => traceId) }));
      const byId = new Map(whole.map((summary) => [summary.traceId, summary]));
      for (const { traceId } of page) {
        const summary = byId.get(traceId);
        if (summary !== undefined && !(filter.failed === false && summary.failures > 0)) found.push(summary);
      }
      if (candidates.length < limit) break;
      const last = page.at(-1) as TraceSummary;
      place = { startMs: last.startMs, traceId: last.traceId };
    }
    return found.slice(0, limit);
  }

  /** Its spans by the time they began; `undefined`: no node has any of it. */
  async get(traceId: string): Promise<WholeTrace | undefined> {
    const parts = (await this.#ask({ trace: traceId })).flatMap((part) => (part == null ? [] : [part as WholeTrace]));
    if (parts.length === 0) return undefined;
    const spans = new Map(parts.flatMap((part) => part.spans.map((span) => [span.spanId, span] as const)));
    return {
      spans: [...spans.values()].toSorted((a, b) => a.startMs - b.startMs),
      dropped: parts.reduce((sum, { dropped }) => sum + dropped, 0),
    };
  }
}

/** Lists of several nodes as one, in its order: parts of one trace become one (ClusterTraces.C1). */
function merged(lists: readonly unknown[]): TraceSummary[] {
  const byId = new Map<string, TraceSummary>();
  for (const part of lists.flatMap((list) => (Array.isArray(list) ? (list as readonly TraceSummary[]) : []))) {
    const known = byId.get(part.traceId);
    byId.set(part.traceId, known === undefined ? part : together(known, part));
  }
  return [...byId.values()].toSorted(byPlace);
}

function together(one: TraceSummary, other: TraceSummary): TraceSummary {
  const [first, second] = isBefore(one, other) ? [one, other] : [other, one];
  return {
    traceId: first.traceId,
    name: first.name,
    root: first.root,
    startMs: Math.min(first.startMs, second.startMs),
    endMs: Math.max(first.endMs, second.endMs),
    spans: first.spans + second.spans,
    failures: first.failures + second.failures,
  };
}

/** A part with the root of the trace names it, else the one that began first. */
function isBefore(one: TraceSummary, other: TraceSummary): boolean {
  return one.root === other.root ? one.startMs <= other.startMs : one.root;
}
