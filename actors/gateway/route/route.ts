import * as v from "valibot";
import { actor } from "#runtime";
import { Name, PutRoute } from "./messages.ts";

const State = v.object({ config: v.nullable(PutRoute) });

/**
 * `route/<name>`: which events go where. Every node keeps all routes at hand and hears of a change through the topic
 * `gateway`; the route itself is asked only to change or show it.
 */
export const Route = actor("route", {
  key: Name,
  state: State,
  initial: (): v.InferOutput<typeof State> => ({ config: null }),
  messages: ({ command, query }) => ({
    put: command({ in: PutRoute, out: v.object({ created: v.boolean() }) }, (c, config) => {
      const created = c.state.config === null;
      c.state.config = config;
      c.broadcast("gateway", "route.changed", { name: c.key });
      return { created };
    }),
    /** Refused with `unknown_route`. */
    remove: command({}, (c) => {
      c.require(c.state.config !== null, "unknown_route");
      c.broadcast("gateway", "route.changed", { name: c.key });
      c.destroy();
    }),
    get: query({ out: v.nullable(PutRoute) }, ({ state }) => state.config),
  }),
});
