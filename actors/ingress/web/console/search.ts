import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { ask } from "../kit/api.ts";
import { type Tone, toneOf } from "../kit/state.tsx";

/** Something that `GET /search` found. */
export interface Hit {
  readonly kind: string;
  readonly id: string;
  readonly title: string;
  readonly status: string | null;
  readonly detail: string | null;
  readonly failed: boolean;
  readonly at: string | null;
  readonly page: string;
}

/** All that it found. */
export interface Found {
  readonly q: string;
  readonly items: readonly Hit[];
  readonly missing: readonly { readonly kind: string; readonly why: string }[];
}

/** What the kinds are called. */
export const KINDS: Readonly<Record<string, string>> = {
  order: "Order",
  workflow: "Workflow",
  trace: "Trace",
  dead_letter: "Dead letter",
  service: "Service",
  actor: "Actor",
  event: "Event",
  log: "Log line",
  route: "Route",
  source: "Source",
  schema: "Schema",
  endpoint: "Endpoint",
};

const LETTERS = 2;
const PAUSE_MS = 150;

/** Searches once there was no letter more for a moment. */
export function useSearch(typed: string) {
  const [text, setText] = useState(typed);
  useEffect(() => {
    const timer = setTimeout(() => setText(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return useQuery({
    queryKey: ["/search", text],
    queryFn: () => ask<Found>(`/search?${new URLSearchParams({ q: text }).toString()}`),
    enabled: text.length >= LETTERS,
    placeholderData: keepPreviousData,
    staleTime: 5_000,
  });
}

/** How a hit is, in a word with its tone. */
export function stateOf({ kind, status, failed }: Hit): { readonly tone: Tone; readonly word: string } | undefined {
  if (status === null) return undefined;
  const word = status.replaceAll("_", " ").toLowerCase();
  if (failed) return { tone: kind === "dead_letter" ? "warning" : "bad", word };
  return { tone: toneOf(status), word };
}
