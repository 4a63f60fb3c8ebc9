import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Failure, Skeleton } from "./feedback.tsx";

/** What was asked for once it is there; until then its place, or why it is not. Old data stays while new is on its way. */
export function Loaded<T>({
  query,
  rows = 6,
  height = 40,
  children,
}: {
  query: UseQueryResult<T>;
  rows?: number;
  height?: number;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.isError) return <Failure error={query.error} retry={() => void query.refetch()} />;
  return <Skeleton rows={rows} height={height} />;
}
