import { ArrowRight } from "lucide-react";
import { useState } from "react";
import { useLocation, useSearchParams } from "wouter";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { plural } from "../kit/format.ts";
import { Page, Section } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { type Found, type Hit, KINDS, stateOf, useSearch } from "./search.ts";

/** Everything about one id or word: what went wrong first, then each kind of thing. The text is in the address. */
export function FoundPage() {
  const [search, setSearch] = useSearchParams();
  const text = (search.get("q") ?? "").trim();
  const [typed, setTyped] = useState(text);
  const found = useSearch(text);
  return (
    <Page title="Search">
      <form
        className="row"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          setSearch(typed.trim() === "" ? {} : { q: typed.trim() });
        }}
      >
        <input
          type="search"
          className="input grow"
          aria-label="An id of anything, or a word"
          placeholder="ord_…, a trace id, a workflow id, TEA-1, a service"
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <button type="submit" className="button primary">
          Search
        </button>
      </form>
      {text === "" && (
        <Empty title="Any id finds all that belongs to it">
          The id of an order finds its workflow, traces, events, dead letters and log lines, and each of their ids finds
          the order.
        </Empty>
      )}
      {text !== "" && found.isPending && <Skeleton rows={8} height={44} />}
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {text !== "" && found.data !== undefined && <Results found={found.data} />}
    </Page>
  );
}

function Results({ found: { q, items, missing } }: { found: Found }) {
  const wrong = items.filter(({ failed, detail }) => failed && detail !== null);
  const kinds = Object.entries(KINDS)
    .map(([kind, name]) => ({ name, hits: items.filter((hit) => hit.kind === kind) }))
    .filter(({ hits }) => hits.length > 0);
  const unseen = (why: string): string =>
    missing
      .filter((one) => one.why === why)
      .map(({ kind }) => (KINDS[kind] ?? kind).toLowerCase())
      .join(", ");
  return (
    <>
      <p className="soft small" role="status">
        {plural(items.length, "result")} for {q}
        {unseen("scope") !== "" && `. This key may not see: ${unseen("scope")}`}
        {unseen("unavailable") !== "" && `. No answer in time for: ${unseen("unavailable")}`}
      </p>
      {items.length === 0 && (
        <Empty title="Nothing was found">An id has to be whole; orders and services are also found by words.</Empty>
      )}
      {wrong.length > 0 && (
        <section className="card wrong" aria-label="What went wrong">
          <header>
            <h2 className="grow">What went wrong</h2>
          </header>
          <div className="body">
            <Hits hits={wrong.slice(0, 6)} />
          </div>
        </section>
      )}
      {kinds.map(({ name, hits }) => (
        <Section key={name} title={hits.length === 1 ? name : `${name}s`}>
          <Hits hits={hits} />
        </Section>
      ))}
    </>
  );
}

function Hits({ hits }: { hits: readonly Hit[] }) {
  const [, go] = useLocation();
  return (
    <ul className="lines">
      {hits.map((hit) => {
        const state = stateOf(hit);
        const { kind, id, title, detail, at, page } = hit;
        return (
          <li key={`${kind}/${id}`}>
            {state !== undefined && <State tone={state.tone}>{state.word}</State>}
            <span className="grow found-text">
              <a
                href={page}
                onClick={(event) => {
                  if (!page.startsWith("/console") || event.metaKey || event.ctrlKey) return;
                  event.preventDefault();
                  go(page.slice("/console".length));
                }}
              >
                <strong>{title}</strong> {title !== id && <code className="soft">{id}</code>}
                <ArrowRight size={12} aria-hidden="true" />
              </a>
              {detail !== null && <span className="soft todo">{detail}</span>}
            </span>
            {at !== null && (
              <span className="soft small">
                <When at={at} />
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}
