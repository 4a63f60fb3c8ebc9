import { useAction } from "../kit/action.ts";
import { Chip } from "../kit/chip.tsx";
import { Empty } from "../kit/feedback.tsx";
import { count, duration, plural } from "../kit/format.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { State } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import { type Actors, usePolled } from "./api.ts";

interface Projections {
  readonly items: readonly {
    readonly name: string;
    readonly version: number | null;
    readonly behind: number;
    readonly building: { readonly state: string } | null;
  }[];
}

const COLOURS = ["--accent-fill", "--good", "--warning", "--moving", "--bad", "--ink-soft"];

/** The nodes, and which of them holds which partition of which store. */
export function Cluster() {
  const actors = usePolled<Actors>("/actors", 3_000);
  return (
    <Page title="Cluster">
      <Loaded query={actors}>
        {({ nodes, stores }) => {
          const colourOf = new Map(
            nodes.map(({ id }, i) => [id, `var(${COLOURS[i % COLOURS.length] ?? "--accent-fill"})`]),
          );
          return (
            <>
              <Table
                noun="node"
                rows={nodes}
                rowKey={({ id }) => id}
                empty={<Empty title="No node has told of itself" />}
                columns={[
                  {
                    head: "Node",
                    value: ({ id }) => id,
                    cell: ({ id }) => (
                      <span className="row">
                        <i className="node-colour" style={{ background: colourOf.get(id) }} />
                        <Chip id={id} label="node id" />
                      </span>
                    ),
                  },
                  {
                    head: "State",
                    value: ({ answered }) => String(answered),
                    cell: ({ answered, owns }) => (
                      <State tone={answered ? "good" : "bad"}>
                        {answered ? (owns ? "answers" : "holds nothing") : "silent"}
                      </State>
                    ),
                  },
                  {
                    head: "Address",
                    value: ({ address }) => address ?? "",
                    cell: ({ address }) => <code>{address ?? "–"}</code>,
                  },
                  {
                    head: "Partitions",
                    number: true,
                    value: ({ partitions }) => partitions,
                    cell: ({ partitions }) => count(partitions),
                  },
                  {
                    head: "Actors",
                    number: true,
                    value: ({ inMemory }) => inMemory ?? 0,
                    cell: ({ inMemory }) => (inMemory === null ? "–" : count(inMemory)),
                  },
                  {
                    head: "Lease",
                    number: true,
                    value: ({ leaseAgeMs }) => leaseAgeMs,
                    cell: ({ leaseAgeMs }) => duration(leaseAgeMs),
                  },
                  { head: "Since", value: ({ since }) => since, cell: ({ since }) => <When at={since} /> },
                ]}
              />
              <Section title="Partitions">
                <div className="stack">
                  {stores.map(({ store, types, partitions }) => (
                    <div key={store} className="partition-row">
                      <div>
                        <strong>{store}</strong>
                        <div className="soft small">{types.join(", ")}</div>
                      </div>
                      <div
                        className="partitions"
                        role="img"
                        aria-label={`${store}: ${plural(partitions.filter(({ node }) => node !== null).length, "partition")} of ${partitions.length} are held`}
                      >
                        {partitions.map(({ partition, node, epoch }) => (
                          <i
                            key={partition}
                            title={`${store}/${partition}: ${node ?? "nobody"}, epoch ${epoch}`}
                            data-free={node === null}
                            style={{ background: node === null ? undefined : colourOf.get(node) }}
                          />
                        ))}
                      </div>
                    </div>
                  ))}
                </div>
              </Section>
            </>
          );
        }}
      </Loaded>
      <ProjectionList />
    </Page>
  );
}

function ProjectionList() {
  const path = "/projections";
  const projections = usePolled<Projections>(path);
  const action = useAction([path]);
  return (
    <Section title="Projections">
      <Loaded query={projections} rows={1}>
        {({ items }) => (
          <ul className="lines">
            {items.map(({ name, version, behind, building }) => (
              <li key={name}>
                <strong>{name}</strong>
                <span className="soft">version {version ?? "–"}</span>
                <span className="grow number">{plural(behind, "event")} behind</span>
                {building !== null && <State tone="moving">{building.state}</State>}
                <button
                  type="button"
                  className="button"
                  disabled={building !== null}
                  onClick={() =>
                    action.mutate({
                      path: `/projections/${name}/rebuild`,
                      done: `${name} is built anew beside the one that serves`,
                    })
                  }
                >
                  Rebuild
                </button>
              </li>
            ))}
            {items.length === 0 && <li className="soft">None</li>}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}
