/** A page with one counter, for the test of two tabs. */
import { createElement, type ReactElement } from "react";
import { createRoot } from "react-dom/client";
import { connect, remote } from "../client/mod.ts";
import type { Counter } from "../door/door-conformance.ts";
import { ActorProvider, useActor } from "./mod.ts";

const Visits = remote<typeof Counter>("counter");

function Page(): ReactElement {
  const { state, calls, pending } = useActor(Visits, "visits", {
    add: (shown, { by }) => ({ count: shown.count + by }),
  });
  const add = (): void => void calls.add({ by: 1 }).catch(() => undefined);
  return createElement("button", { onClick: add, title: String(pending) }, state?.count);
}

const client = connect<{ counter: typeof Counter }>(location.origin);
const root = document.querySelector("#root");
if (root !== null) createRoot(root).render(createElement(ActorProvider, { client }, createElement(Page)));
