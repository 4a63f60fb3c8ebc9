import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "wouter";
import { ask } from "../kit/api.ts";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { shorten } from "../kit/format.ts";
import { LoadMore } from "../kit/load-more.tsx";
import { Page, Section } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import type { DeadLetter, ListPage } from "./api.ts";
import { ReplayMany } from "./replay-many.tsx";
import { Replays } from "./replays.tsx";

const REASONS: Readonly<Record<string, string>> = {
  schema: "does not fit its schema",
  route: "no way to where its route sends it",
  broker: "a broker refused it",
  receiver: "its receiver gave up on it",
  poison: "could not be read or handled",
};

/** What could not be delivered: grouped by reason and type, filtered, replayed. The filter is in the address. */
export function DeadLetters() {
  const [search, setSearch] = useSearchParams();
  const filter = Object.fromEntries(
    ["reason", "type", "key"].flatMap((name) => (search.get(name) ? [[name, search.get(name) ?? ""]] : [])),
  );
  const pages = useInfiniteQuery({
    queryKey: ["dead-letters", filter],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      ask<ListPage<DeadLetter>>(
        `/dead-letters?${new URLSearchParams({ ...filter, limit: "200", ...(pageParam !== "" && { cursor: pageParam }) }).toString()}`,
      ),
    getNextPageParam: (page) => page.next,
    refetchInterval: 5_000,
  });
  const letters = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  const groups = Map.groupBy(letters, ({ reason, type }) => `${reason}/${type ?? "–"}`);
  return (
    <Page title="Dead letters" tools={<ReplayMany filter={filter} />}>
      {pages.isPending && <Skeleton rows={8} height={40} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {groups.size > 0 && (
        <ul className="tiles groups">
          {[...groups].map(([group, [first, ...others]]) => (
            <li key={group}>
              <span className="tile-value number">{others.length + 1}</span>
              <State tone="warning">{first?.reason}</State>
              <code className="clip">{first?.type ?? "no type"}</code>
              <button
                type="button"
                className="button quiet"
                onClick={() =>
                  setSearch({ reason: first?.reason ?? "", ...(first?.type != null && { type: first.type }) })
                }
              >
                Only these
              </button>
            </li>
          ))}
        </ul>
      )}
      {Object.keys(filter).length > 0 && (
        <div className="row">
          <span className="soft">
            Only{" "}
            {Object.entries(filter)
              .map(([name, value]) => `${name} ${value}`)
              .join(", ")}
          </span>
          <button type="button" className="button" onClick={() => setSearch({})}>
            Show all
          </button>
        </div>
      )}
      {pages.isSuccess && (
        <Table
          noun="letter"
          rows={letters}
          more={pages.hasNextPage}
          rowKey={({ id }) => id}
          empty={
            <Empty
              title="No dead letters"
              command={`curl localhost:3000/events -H 'content-type: application/json' -d '{"type":"demo.greeted","data":{"hello":"world"}}'`}
            >
              Everything that was accepted was delivered. Send an event and watch where it goes.
            </Empty>
          }
          columns={[
            {
              head: "Letter",
              value: ({ id }) => id,
              cell: ({ id }) => (
                <Link href={`/dead-letters/${encodeURIComponent(id)}`}>
                  <code>{shorten(id)}</code>
                </Link>
              ),
            },
            {
              head: "Reason",
              value: ({ reason }) => reason,
              cell: ({ reason, detail }) => (
                <span title={detail}>
                  <State tone="warning">{reason}</State> <span className="soft small">{REASONS[reason]}</span>
                </span>
              ),
            },
            { head: "Type", value: ({ type }) => type ?? "", cell: ({ type }) => <code>{type ?? "–"}</code> },
            { head: "Target", value: ({ target }) => target, cell: ({ target }) => <code>{shorten(target, 28)}</code> },
            { head: "Tries", number: true, value: ({ attempts }) => attempts, cell: ({ attempts }) => attempts },
            { head: "When", value: ({ at }) => at, cell: ({ at }) => <When at={at} /> },
          ]}
        />
      )}
      <LoadMore pages={pages} />
      <Section title="Replays of many">
        <Replays />
      </Section>
    </Page>
  );
}
