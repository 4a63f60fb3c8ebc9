import { useInfiniteQuery } from "@tanstack/react-query";
import { ask } from "../kit/api.ts";
import { Chip } from "../kit/chip.tsx";
import { Failure, Skeleton } from "../kit/feedback.tsx";
import { Json } from "../kit/json.tsx";
import { LoadMore } from "../kit/load-more.tsx";
import { Section } from "../kit/page.tsx";
import { When } from "../kit/time.tsx";
import { useActorType } from "./api.ts";

interface Entry {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly data: unknown;
}

interface JournalPage {
  readonly items: readonly Entry[];
  readonly next: number | null;
}

/** What happened to an actor, where its type keeps that: each event with its data. */
export function Journal({ type, path }: { type: string; path: string }) {
  const keeps = useActorType(type).data?.journal === true;
  const pages = useInfiniteQuery({
    queryKey: [`${path}/journal`],
    initialPageParam: 0,
    queryFn: ({ pageParam }) => ask<JournalPage>(`${path}/journal?limit=50&after=${pageParam}`),
    getNextPageParam: (page) => page.next,
    refetchInterval: 5_000,
    enabled: keeps,
  });
  if (!keeps) return null;
  return (
    <Section title="Journal">
      {pages.isPending && <Skeleton rows={4} height={36} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      <ol className="lines">
        {pages.data?.pages
          .flatMap(({ items }) => items)
          .map(({ seq, id, type: event, at, data }) => (
            <li key={seq}>
              <span className="soft number">{seq}</span>
              <details className="grow">
                <summary>
                  <code>{event}</code>
                </summary>
                <Chip id={id} label="event id" />
                <Json value={data} label={`Data of event ${seq}`} />
              </details>
              <span className="soft small">
                <When at={at} />
              </span>
            </li>
          ))}
      </ol>
      <LoadMore pages={pages} />
    </Section>
  );
}
