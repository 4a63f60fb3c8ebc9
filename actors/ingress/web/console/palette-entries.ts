import { useLocation } from "wouter";
import type { PaletteEntry } from "../kit/palette.tsx";
import { PAGES } from "./pages.ts";
import { type Hit, KINDS, stateOf, useSearch } from "./search.ts";

/** Pages outside the console. */
const ELSEWHERE = [
  { label: "Shop", path: "/" },
  { label: "Orders of the shop", path: "/shop/orders" },
  { label: "Simulator", path: "/simulator" },
  { label: "API", path: "/openapi" },
  { label: "Documentation", path: "/docs" },
] as const;

/** The pages that fit what was typed, what was found by it, and the way to everything about it. */
export function usePaletteEntries(typed: string): readonly PaletteEntry[] {
  const [, go] = useLocation();
  const { data: found } = useSearch(typed);
  const wanted = typed.toLowerCase();
  const open = (page: string): void => {
    if (page.startsWith("/console")) go(page.slice("/console".length));
    else location.assign(page);
  };
  const pages = [...PAGES.map(({ to, label }) => ({ label, path: `/console${to}` })), ...ELSEWHERE]
    .filter(({ label }) => label.toLowerCase().includes(wanted))
    .map(({ label, path }): PaletteEntry => ({ label, hint: "page", run: () => open(path) }));
  if (typed === "") return pages;
  const hits = found !== undefined && found.q === typed ? found.items : [];
  const query = new URLSearchParams({ q: typed }).toString();
  const all = { label: `Everything about ${typed}`, hint: "search", run: () => go(`/search?${query}`) };
  const docs = {
    label: `Documentation on ${typed}`,
    hint: "docs",
    run: () => location.assign(`/docs/search?${query}`),
  };
  return [...pages.slice(0, 4), ...hits.slice(0, 7).map((hit) => entryOf(hit, () => open(hit.page))), all, docs];
}

function entryOf(hit: Hit, run: () => void): PaletteEntry {
  const state = stateOf(hit);
  const name = hit.title === hit.id ? hit.id : `${hit.title} · ${hit.id}`;
  return {
    label: name,
    detail: hit.detail,
    hint: KINDS[hit.kind] ?? hit.kind,
    run,
    ...(state !== undefined && { state }),
  };
}
