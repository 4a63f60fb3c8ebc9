import { Endpoint } from "#actors/gateway/endpoint/endpoint.ts";
import { Route } from "#actors/gateway/route/route.ts";
import { EventSchema } from "#actors/gateway/schema/schema.ts";
import { Source } from "#actors/gateway/source/source.ts";
import type { Troupe } from "#runtime";
import type { Finder } from "./find.ts";
import { type Hit, hit } from "./hit.ts";

/** Looked at of each kind. */
const LOOKED_AT = 200;
const LETTERS = 2;

/** Finds what the event gateway is configured with, by its name, its id, its address, or the type of its events. */
export function gatewayFinder(troupe: () => Troupe): Finder {
  return {
    kinds: ["route", "source", "schema", "endpoint"],
    scope: "events",
    async find({ text, keys }) {
      const wanted = (keys.at(-1) ?? text).toLowerCase();
      if (wanted.length < LETTERS) return [];
      const page = { limit: LOOKED_AT };
      const [routes, sources, schemas, endpoints] = await Promise.all([
        troupe().list(Route, page),
        troupe().list(Source, page),
        troupe().list(EventSchema, page),
        troupe().list(Endpoint, page),
      ]);
      const all: readonly (readonly [Hit, string])[] = [
        ...routes.flatMap(({ key, state }) =>
          state.config === null
            ? []
            : [told("route", key, `takes ${state.config.match.type}`, state.config.match.type)],
        ),
        ...sources.flatMap(({ key, state }) =>
          state.config === null ? [] : [told("source", key, `webhooks, ${state.config.scheme}`, key)],
        ),
        ...schemas.map(({ key }) => told("schema", key, "checks the events of this type", key)),
        ...endpoints.flatMap(({ key, state }) =>
          state.config === null ? [] : [told("endpoint", key, state.config.url, state.config.url, state.disabled)],
        ),
      ];
      return all.filter(([{ id }, words]) => `${id} ${words}`.toLowerCase().includes(wanted)).map(([found]) => found);
    },
  };
}

function told(
  kind: "route" | "source" | "schema" | "endpoint",
  id: string,
  detail: string,
  words: string,
  disabled: string | null = null,
): readonly [Hit, string] {
  const found = hit({
    ...{ kind, id, detail, failed: disabled !== null, status: disabled === null ? null : "disabled" },
    page: `/console/events#${kind}s`,
    api: kind === "schema" ? `/schemas/${encodeURIComponent(id)}` : `/${kind}s/${encodeURIComponent(id)}`,
  });
  return [found, words];
}
