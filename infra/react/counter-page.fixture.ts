/** A page with one counter, for the test of two tabs. */
import { createElement, type ReactElement, Suspense } from "react";
import { createRoot } from "react-dom/client";
import { connect, remote } from "../client/mod.ts";
import type { Counter } from "../door/door-bench.ts";
import { ActorProvider, useSuspenseActor, useTopic } from "./mod.ts";

const Visits = remote<typeof Counter>("counter");

function Page(): ReactElement {
  const { state, calls, pending } = useSuspenseActor(Visits, "visits", {
    add: (shown, { by }) => ({ count: shown.count + by }),
  });
  const add = (): void => void calls.add({ by: 1 }).catch(() => undefined);
  return createElement("button", { onClick: add, title: String(pending) }, state.count);
}

function Ticker(): ReactElement {
  const { messages } = useTopic(Visits, "visits", "counters/all", 2);
  return createElement("output", {}, messages.map(({ data }) => (data as { by: number }).by).join(" "));
}

const client = connect<{ counter: typeof Counter }>(location.origin);
const root = document.querySelector("#root");
if (root !== null)
  createRoot(root).render(
    createElement(
      ActorProvider,
      { client },
      createElement(Suspense, { fallback: createElement("i", {}, "waits") }, createElement(Page)),
      createElement(Ticker),
    ),
  );
