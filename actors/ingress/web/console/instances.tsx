import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useSearchParams } from "wouter";
import { ask } from "../kit/api.ts";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { count } from "../kit/format.ts";
import { LoadMore } from "../kit/load-more.tsx";
import { Section } from "../kit/page.tsx";
import { Table } from "../kit/table.tsx";
import { type ListPage, useActorType } from "./api.ts";

interface Instance {
  readonly key: string;
  readonly version: number;
  readonly state: unknown;
}

const OPERATORS = { is: "is", gt: "more than", gte: "at least", lt: "less than", lte: "at most" } as const;
type Operator = keyof typeof OPERATORS;
const STATE_LETTERS = 120;

/** The actors of a type, found by the fields it indexes. The filter is in the address. */
export function Instances({ type }: { type: string }) {
  const [search, setSearch] = useSearchParams();
  const where = search.get("where") ?? "";
  const index = useActorType(type).data?.index ?? [];
  const pages = useInfiniteQuery({
    queryKey: ["instances", type, where],
    initialPageParam: "",
    queryFn: ({ pageParam }) => {
      const query = { limit: "50", ...(where !== "" && { where }), ...(pageParam !== "" && { cursor: pageParam }) };
      return ask<ListPage<Instance>>(`/actors/${type}?${new URLSearchParams(query).toString()}`);
    },
    getNextPageParam: (page) => page.next,
    refetchInterval: 5_000,
  });
  return (
    <Section
      title="Instances"
      tools={
        index.length > 0 && (
          <Filter index={index} where={where} change={(text) => setSearch(text === "" ? {} : { where: text })} />
        )
      }
    >
      {pages.isPending && <Skeleton rows={6} height={40} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && (
        <Table
          noun="actor"
          rows={pages.data.pages.flatMap(({ items }) => items)}
          more={pages.hasNextPage}
          rowKey={({ key }) => key}
          empty={
            <Empty title={where === "" ? `There is no ${type} yet` : `No ${type} fits`}>
              Its first message that changes something makes one.
            </Empty>
          }
          columns={[
            {
              head: "Key",
              value: ({ key }) => key,
              cell: ({ key }) => <Link href={`/actors/${type}/${encodeURIComponent(key)}`}>{key}</Link>,
            },
            { head: "Version", number: true, value: ({ version }) => version, cell: ({ version }) => count(version) },
            {
              head: "State",
              cell: ({ state }) => <code className="soft breaks">{JSON.stringify(state).slice(0, STATE_LETTERS)}</code>,
            },
          ]}
        />
      )}
      <LoadMore pages={pages} />
    </Section>
  );
}

interface FilterProps {
  readonly index: readonly string[];
  readonly where: string;
  readonly change: (where: string) => void;
}

function Filter({ index, where, change }: FilterProps) {
  const [field, setField] = useState(index[0] ?? "");
  const [operator, setOperator] = useState<Operator>("is");
  const [text, setText] = useState("");
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        const value = valueOf(text);
        change(JSON.stringify({ [field]: operator === "is" ? value : { [operator]: value } }));
      }}
    >
      <select className="select" aria-label="Field" value={field} onChange={(event) => setField(event.target.value)}>
        {index.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
      <select
        className="select"
        aria-label="How it compares"
        value={operator}
        onChange={(event) => setOperator(event.target.value as Operator)}
      >
        {Object.entries(OPERATORS).map(([name, words]) => (
          <option key={name} value={name}>
            {words}
          </option>
        ))}
      </select>
      <input
        className="input filter"
        aria-label="Value"
        placeholder="a value"
        required
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button">
        Find
      </button>
      {where !== "" && (
        <button type="button" className="button quiet" onClick={() => change("")}>
          All
        </button>
      )}
    </form>
  );
}

/** Numbers, `true`, `false` and `null` are what they say; everything else is a text. */
function valueOf(text: string): unknown {
  if (/^(?:true|false|null)$/.test(text)) return JSON.parse(text) as unknown;
  return text.trim() !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
