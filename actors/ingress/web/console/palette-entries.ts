import { useCallback } from "react";
import { useLocation } from "wouter";
import type { PaletteEntry } from "../kit/palette.tsx";
import { PAGES } from "./pages.ts";

/** Where an id leads, told from what it looks like; the surest first. */
const IDS: readonly (readonly [looks: RegExp, label: string, to: (id: string) => string])[] = [
  [/^ord_/, "Order", (id) => `~/shop/orders/${id}`],
  [/^ord_/, "Fulfilment of order", (id) => `/workflows/${encodeURIComponent(`fulfil-order/${id}`)}`],
  [/^ord_/, "Actor of order", (id) => `/actors/order/${id}`],
  [/^[0-9a-f]{32}$/, "Trace", (id) => `/traces/${id}`],
  [/^dl_|^dlq_/, "Dead letter", (id) => `/dead-letters/${encodeURIComponent(id)}`],
  [/^[a-z-]+\/.+/, "Workflow", (id) => `/workflows/${encodeURIComponent(id)}`],
  [/^[A-Z][A-Z0-9]*-/, "Stock of", (id) => `/actors/stock/${encodeURIComponent(id)}`],
  [/^[a-z][a-z0-9-]*$/, "Service", (id) => `/services/${id}`],
  [/^[a-z][a-z-]*$/, "Actors of type", (id) => `/actors/${id}`],
];

/** The pages that fit what was typed, and the places that an id like it leads to. */
export function usePaletteEntries(): (typed: string) => readonly PaletteEntry[] {
  const [, go] = useLocation();
  return useCallback(
    (typed) => {
      const wanted = typed.toLowerCase();
      const pages = PAGES.filter(({ label }) => label.toLowerCase().includes(wanted)).map(({ to, label }) => ({
        label,
        hint: "page",
        run: () => go(to),
      }));
      const shop = [
        { label: "Shop", path: "/" },
        { label: "Orders of the shop", path: "/shop/orders" },
        { label: "Simulator", path: "/simulator" },
        { label: "API", path: "/openapi" },
      ]
        .filter(({ label }) => label.toLowerCase().includes(wanted))
        .map(({ label, path }) => ({ label, hint: "page", run: () => location.assign(path) }));
      const ids =
        typed === ""
          ? []
          : IDS.filter(([looks]) => looks.test(typed)).map(([, label, to]) => ({
              label: `${label} ${typed}`,
              hint: "id",
              run: () => (to(typed).startsWith("~") ? location.assign(to(typed).slice(1)) : go(to(typed))),
            }));
      return [...pages, ...shop, ...ids];
    },
    [go],
  );
}
