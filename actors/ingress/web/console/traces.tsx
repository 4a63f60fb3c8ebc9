import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { ask } from "../kit/api.ts";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { count, duration } from "../kit/format.ts";
import { LoadMore } from "../kit/load-more.tsx";
import { Page } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import type { ListPage } from "./api.ts";

interface TraceSummary {
  readonly traceId: string;
  readonly name: string;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly spans: number;
  readonly failures: number;
}

/** The last traces, the newest first. The filter is in the address. */
export function Traces() {
  const [search, setSearch] = useSearchParams();
  const filter = new URLSearchParams(
    ["q", "failed"].flatMap((name) => (search.get(name) ? [[name, search.get(name) ?? ""]] : [])),
  );
  const [typed, setTyped] = useState(search.get("q") ?? "");
  const pages = useInfiniteQuery({
    queryKey: ["traces", filter.toString()],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      ask<ListPage<TraceSummary>>(
        `/traces?limit=100&${filter.toString()}${pageParam === "" ? "" : `&cursor=${pageParam}`}`,
      ),
    getNextPageParam: (page) => page.next,
    refetchInterval: 5_000,
  });
  const change = (name: string, value: string): void => {
    const next = new URLSearchParams(filter);
    if (value === "") next.delete(name);
    else next.set(name, value);
    setSearch(next);
  };
  return (
    <Page
      title="Traces"
      tools={
        <>
          <form
            onSubmit={(event) => {
              event.preventDefault();
              change("q", typed.trim());
            }}
          >
            <input
              type="search"
              className="input filter"
              aria-label="An id or a name in any span"
              placeholder="ord_… or a name"
              value={typed}
              onChange={(event) => {
                setTyped(event.target.value);
                if (event.target.value === "") change("q", "");
              }}
            />
          </form>
          <select
            className="select filter"
            aria-label="Outcome"
            value={filter.get("failed") ?? ""}
            onChange={(event) => change("failed", event.target.value)}
          >
            <option value="">Every outcome</option>
            <option value="true">with failures</option>
            <option value="false">without failures</option>
          </select>
        </>
      }
    >
      {pages.isPending && <Skeleton rows={10} height={40} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && (
        <Table
          noun="trace"
          rows={pages.data.pages.flatMap(({ items }) => items)}
          more={pages.hasNextPage}
          rowKey={({ traceId }) => traceId}
          empty={
            <Empty title={filter.size === 0 ? "No trace was recorded yet" : "No trace fits"}>
              Place an order in the shop: its trace goes from the request to the parcel.
            </Empty>
          }
          columns={[
            {
              head: "Trace",
              value: ({ name }) => name,
              cell: ({ traceId, name }) => (
                <Link href={`/traces/${traceId}`}>
                  <code>{name}</code>
                </Link>
              ),
            },
            {
              head: "Outcome",
              value: ({ failures }) => failures,
              cell: ({ failures }) =>
                failures === 0 ? <State tone="good">fine</State> : <State tone="bad">{count(failures)} failed</State>,
            },
            { head: "Spans", number: true, value: ({ spans }) => spans, cell: ({ spans }) => count(spans) },
            {
              head: "Took",
              number: true,
              value: ({ durationMs }) => durationMs,
              cell: ({ durationMs }) => duration(durationMs),
            },
            { head: "Began", value: ({ startedAt }) => startedAt, cell: ({ startedAt }) => <When at={startedAt} /> },
          ]}
        />
      )}
      <LoadMore pages={pages} />
    </Page>
  );
}
