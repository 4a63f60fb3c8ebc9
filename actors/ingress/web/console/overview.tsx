import { useQuery } from "@tanstack/react-query";
import { ask } from "../kit/api.ts";
import { Failure, Skeleton } from "../kit/feedback.tsx";
import { Status } from "../kit/state.tsx";

interface Ready {
  readonly status: string;
  readonly components: readonly {
    readonly name: string;
    readonly status: string;
    readonly address?: string;
    readonly how: string;
  }[];
}

/** What runs, and what needs attention. */
export function Overview() {
  const ready = useQuery({ queryKey: ["ready"], queryFn: () => ask<Ready>("/ready"), refetchInterval: 5_000 });
  return (
    <div className="stack page">
      <header className="row">
        <h1 className="grow">Overview</h1>
      </header>
      {ready.isPending && <Skeleton rows={8} height={36} />}
      {ready.isError && <Failure error={ready.error} retry={() => void ready.refetch()} />}
      {ready.data && (
        <section className="table-frame" aria-label="Components">
          <table className="table">
            <thead>
              <tr>
                <th>Component</th>
                <th>Status</th>
                <th>Address</th>
                <th>What to do</th>
              </tr>
            </thead>
            <tbody>
              {ready.data.components.map(({ name, status, address, how }) => (
                <tr key={name}>
                  <td>{name}</td>
                  <td>
                    <Status status={status} />
                  </td>
                  <td>
                    <code>{address ?? "–"}</code>
                  </td>
                  <td className="soft">{how}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
    </div>
  );
}
