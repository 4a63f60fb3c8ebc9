import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "wouter";
import { ask } from "../kit/api.ts";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { duration } from "../kit/format.ts";
import { LoadMore } from "../kit/load-more.tsx";
import { Page } from "../kit/page.tsx";
import { Status } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import type { ListPage, WorkflowSummary } from "./api.ts";
import { StartWorkflow } from "./start-workflow.tsx";

const STATES = ["RUNNING", "COMPLETED", "FAILED", "CANCELED", "TERMINATED", "TIMED_OUT"];

/** The workflow runs, the newest first. The filter is in the address. */
export function Workflows() {
  const [search, setSearch] = useSearchParams();
  const status = search.get("status") ?? "";
  const pages = useInfiniteQuery({
    queryKey: ["workflows", status],
    initialPageParam: "",
    queryFn: ({ pageParam }) =>
      ask<ListPage<WorkflowSummary>>(
        `/workflows?${new URLSearchParams({ limit: "100", ...(status !== "" && { status }), ...(pageParam !== "" && { cursor: pageParam }) }).toString()}`,
      ),
    getNextPageParam: (page) => page.next,
    refetchInterval: 5_000,
  });
  const runs = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <Page
      title="Workflows"
      tools={
        <>
          <select
            className="select filter"
            aria-label="Status"
            value={status}
            onChange={(event) => setSearch(event.target.value === "" ? {} : { status: event.target.value })}
          >
            <option value="">Every status</option>
            {STATES.map((state) => (
              <option key={state} value={state}>
                {state.replaceAll("_", " ").toLowerCase()}
              </option>
            ))}
          </select>
          <StartWorkflow />
        </>
      }
    >
      {pages.isPending && <Skeleton rows={10} height={40} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && (
        <Table
          noun="run"
          rows={runs}
          more={pages.hasNextPage}
          rowKey={({ workflowId, runId }) => `${workflowId}/${runId}`}
          empty={
            <Empty title={status === "" ? "No workflow has run yet" : `No run is ${status.toLowerCase()}`}>
              Place an order in the shop: its fulfilment is a workflow.
            </Empty>
          }
          columns={[
            {
              head: "Workflow",
              value: ({ workflowId }) => workflowId,
              cell: ({ workflowId }) => (
                <Link href={`/workflows/${encodeURIComponent(workflowId)}`}>
                  <code>{workflowId}</code>
                </Link>
              ),
            },
            { head: "Type", value: ({ type }) => type, cell: ({ type }) => type },
            {
              head: "Status",
              value: ({ status: state }) => state,
              cell: ({ status: state }) => <Status status={state} />,
            },
            {
              head: "Took",
              number: true,
              value: (run) => tookMs(run) ?? 0,
              cell: (run) => (tookMs(run) === undefined ? <span className="soft">–</span> : duration(tookMs(run) ?? 0)),
            },
            { head: "Started", value: ({ startedAt }) => startedAt, cell: ({ startedAt }) => <When at={startedAt} /> },
          ]}
        />
      )}
      <LoadMore pages={pages} />
    </Page>
  );
}

function tookMs({ startedAt, closedAt }: WorkflowSummary): number | undefined {
  return closedAt === null ? undefined : Date.parse(closedAt) - Date.parse(startedAt);
}
