import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { Link, useSearchParams } from "wouter";
import { ask } from "../kit/api.ts";
import { Empty, Failure, Skeleton } from "../kit/feedback.tsx";
import { money, plural, shorten } from "../kit/format.ts";
import { useLive } from "../kit/live.ts";
import { LoadMore } from "../kit/load-more.tsx";
import { Status } from "../kit/state.tsx";
import { When } from "../kit/time.tsx";
import { customer } from "./customer.ts";
import type { OrderSummary } from "./types.ts";

const STATES = ["placed", "reserved", "paid", "shipped", "delivered", "rejected", "cancelled"];
const AFTER_MS = 700;
/** What else orders are found by. Sums are typed as people write them. */
const FURTHER = [
  { name: "q", label: "Words: name, street, product", type: "search" },
  { name: "sku", label: "SKU" },
  { name: "minTotal", label: "Total from", type: "number", min: 0, step: "0.01" },
  { name: "maxTotal", label: "Total up to", type: "number", min: 0, step: "0.01" },
] as const;

/** Totals are asked for in minor units of two digits. */
function inMinor(name: string, value: string): string {
  return name.endsWith("Total") ? String(Math.round(Number(value) * 100)) : value;
}

/** The orders of the customer, or of everybody, newest first. What is shown is in the address. */
export function Orders() {
  const [search, setSearch] = useSearchParams();
  const status = search.get("status") ?? "";
  const everybody = search.get("of") === "everybody";
  const further = FURTHER.flatMap(({ name }) => (search.get(name) ? [[name, search.get(name) ?? ""] as const] : []));
  const customerId = customer.use();
  const queries = useQueryClient();
  const queryKey = ["orders", status, everybody ? null : customerId, JSON.stringify(further)];
  const pages = useInfiniteQuery({
    queryKey,
    initialPageParam: "",
    queryFn: ({ pageParam }) => {
      const query = new URLSearchParams({ limit: "50" });
      if (status !== "") query.set("status", status);
      if (!everybody) query.set("customerId", customerId);
      for (const [name, value] of further) query.set(name, inMinor(name, value));
      if (pageParam !== "") query.set("cursor", pageParam);
      return ask<{ items: readonly OrderSummary[]; next: string | null }>(`/orders?${query.toString()}`);
    },
    getNextPageParam: (page) => page.next,
  });
  // The list follows the orders' events, a moment behind them.
  let timer: ReturnType<typeof setTimeout> | undefined;
  useLive(["orders"], () => {
    timer ??= setTimeout(() => {
      timer = undefined;
      void queries.invalidateQueries({ queryKey: ["orders"] });
    }, AFTER_MS);
  });
  useEffect(() => () => clearTimeout(timer));
  const change = (name: string, value: string): void =>
    setSearch((now) => {
      const next = new URLSearchParams(now);
      if (value === "") next.delete(name);
      else next.set(name, value);
      return next;
    });
  const orders = pages.data?.pages.flatMap(({ items }) => items) ?? [];
  return (
    <div className="stack">
      <header className="row">
        <h1 className="grow">Orders</h1>
        <select
          className="select filter"
          aria-label="Of whom"
          value={everybody ? "everybody" : ""}
          onChange={(event) => change("of", event.target.value)}
        >
          <option value="">{customerId}</option>
          <option value="everybody">Everybody</option>
        </select>
        <select
          className="select filter"
          aria-label="Status"
          value={status}
          onChange={(event) => change("status", event.target.value)}
        >
          <option value="">Every status</option>
          {STATES.map((state) => (
            <option key={state}>{state}</option>
          ))}
        </select>
      </header>
      <form
        className="filters"
        aria-label="Filters"
        key={JSON.stringify(further)}
        onSubmit={(event) => {
          event.preventDefault();
          const typed = new FormData(event.currentTarget);
          setSearch((now) => {
            const next = new URLSearchParams(now);
            for (const { name } of FURTHER) {
              const value = String(typed.get(name) ?? "").trim();
              if (value === "") next.delete(name);
              else next.set(name, value);
            }
            return next;
          });
        }}
      >
        {FURTHER.map(({ name, label, ...field }) => (
          <input
            key={name}
            {...field}
            name={name}
            className="input filter"
            aria-label={label}
            placeholder={label}
            defaultValue={search.get(name) ?? ""}
          />
        ))}
        <button type="submit" className="button">
          Find
        </button>
      </form>
      {pages.isPending && <Skeleton rows={6} height={56} />}
      {pages.isError && <Failure error={pages.error} retry={() => void pages.refetch()} />}
      {pages.isSuccess && orders.length === 0 && (
        <Empty
          title={further.length > 0 ? "No order fits" : status === "" ? "No orders yet" : `No orders are ${status}`}
        >
          <Link href="/" className="button">
            To the products
          </Link>
        </Empty>
      )}
      {orders.length > 0 && (
        <>
          <p className="soft small" role="status">
            {plural(orders.length, "order")}
            {pages.hasNextPage && ", and more"}
          </p>
          <ul className="card order-list">
            {orders.map(({ orderId, customerId: of, status: state, reason, total, currency, placedAt }) => (
              <li key={orderId}>
                <Link href={`/shop/orders/${orderId}`}>
                  <code className="clip">{shorten(orderId)}</code>
                  <span className="soft clip">{of}</span>
                  <span className="grow">
                    <Status status={state} />{" "}
                    {reason !== undefined && <span className="soft small">{reason.replaceAll("_", " ")}</span>}
                  </span>
                  <span className="soft small">
                    <When at={placedAt} />
                  </span>
                  <span className="number total">{money(total, currency)}</span>
                </Link>
              </li>
            ))}
          </ul>
        </>
      )}
      <LoadMore pages={pages} />
    </div>
  );
}
