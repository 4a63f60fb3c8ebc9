import type { UseInfiniteQueryResult } from "@tanstack/react-query";

/** The next page of a list, where there is one. */
export function LoadMore({
  pages,
}: {
  pages: Pick<UseInfiniteQueryResult, "hasNextPage" | "isFetchingNextPage" | "fetchNextPage">;
}) {
  if (!pages.hasNextPage) return null;
  return (
    <button
      type="button"
      className="button"
      disabled={pages.isFetchingNextPage}
      onClick={() => void pages.fetchNextPage()}
    >
      Load more
    </button>
  );
}
