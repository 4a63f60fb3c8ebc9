import { useQueryClient } from "@tanstack/react-query";
import { FileCode } from "lucide-react";
import { Link } from "wouter";
import { Empty } from "../kit/feedback.tsx";
import { useLive } from "../kit/live.ts";
import { Loaded } from "../kit/loaded.tsx";
import { Page, Section } from "../kit/page.tsx";
import { Status } from "../kit/state.tsx";
import { Table } from "../kit/table.tsx";
import { When } from "../kit/time.tsx";
import { type ListPage, type Service, usePolled } from "./api.ts";
import { ReplicaDots } from "./replica-dots.tsx";
import { Revisions } from "./revisions.tsx";

interface Host {
  readonly name: string;
  readonly driver: string;
  readonly version: string;
  readonly arch: string;
  readonly capacity: { readonly cpus: number; readonly memoryBytes: number };
  readonly state: string;
  readonly seenAt: string;
}

/** The services: what is desired beside what runs, the revisions of the file, the hosts. */
export function Services() {
  const path = "/services?limit=200";
  const services = usePolled<ListPage<Service>>(path);
  const hosts = usePolled<ListPage<Host>>("/hosts?limit=200", 10_000);
  const queries = useQueryClient();
  useLive(["services"], () => void queries.invalidateQueries({ queryKey: [path] }));
  return (
    <Page
      title="Services"
      tools={
        <Link href="/config" className="button primary">
          <FileCode size={14} aria-hidden="true" />
          Edit the file
        </Link>
      }
    >
      <Loaded query={services}>
        {({ items }) => (
          <Table
            noun="service"
            rows={items}
            rowKey={({ name }) => name}
            empty={
              <Empty
                title="No services are described yet"
                command="curl -X POST localhost:3000/config -H 'content-type: application/yaml' --data-binary @services.yaml"
              >
                Write down what should run, and it is kept running. <Link href="/config">Write it here</Link>, or apply
                a file:
              </Empty>
            }
            columns={[
              {
                head: "Service",
                value: ({ name }) => name,
                cell: ({ name }) => <Link href={`/services/${encodeURIComponent(name)}`}>{name}</Link>,
              },
              {
                head: "Status",
                value: ({ status }) => status,
                cell: ({ status, paused }) => <Status status={paused === true ? "paused" : status} />,
              },
              {
                head: "Replicas",
                value: ({ desired }) => desired.replicas,
                cell: (service) => <ReplicaDots service={service} />,
              },
              {
                head: "Image",
                value: ({ desired }) => desired.image,
                cell: ({ desired }) => <code>{desired.image}</code>,
              },
              {
                head: "Why",
                cell: ({ conditions }) => <span className="soft small">{conditions[0]?.message ?? "–"}</span>,
              },
            ]}
          />
        )}
      </Loaded>
      <div className="halves">
        <Section title="Revisions of the file">
          <Revisions />
        </Section>
        <Section title="Hosts">
          <Loaded query={hosts} rows={1}>
            {({ items }) => (
              <ul className="lines">
                {items.map(({ name, driver, version, capacity, state, seenAt }) => (
                  <li key={name}>
                    <strong>{name}</strong>
                    <Status status={state} />
                    <span className="soft grow">
                      {driver} {version}, {capacity.cpus} CPUs, {(capacity.memoryBytes / 2 ** 30).toFixed(1)} GiB
                    </span>
                    <span className="soft small">
                      <When at={seenAt} />
                    </span>
                  </li>
                ))}
                {items.length === 0 && (
                  <li className="soft">No host has been heard of: the role `scaler` runs nowhere.</li>
                )}
              </ul>
            )}
          </Loaded>
        </Section>
      </div>
    </Page>
  );
}
