/**
 * Auditor: which invariants of the shop hold, keyed `shop`.
 *
 * Owns: since when each is violated, and telling of it once. Does not own: looking; a loop beside the actors does
 * (`scripts/app/audit.ts`), as it asks a database.
 *
 * A1 A violation is an event when it begins, and one when it is over, however many looks find it, from however many nodes.
 */
import * as v from "valibot";
import { actor } from "#runtime";
import { AuditFindings, auditorEvents, AuditView, InvariantView } from "./messages.ts";

/** The key of the one auditor. */
export const SHOP_AUDIT = "shop";

const State = v.object({
  at: v.nullable(v.string()),
  items: v.array(InvariantView),
  violatedSince: v.record(v.string(), v.string()),
});

/** The one auditor of the shop. */
export const Auditor = actor("auditor", {
  state: State,
  initial: (): v.InferOutput<typeof State> => ({ at: null, items: [], violatedSince: {} }),
  emits: auditorEvents,
  messages: ({ command, query }) => ({
    /** Takes what a look found; an older one than is known changes nothing. */
    record: command({ in: AuditFindings }, (c, { at, items }) => {
      if (c.state.at !== null && at <= c.state.at) return;
      let news = false;
      for (const item of items) {
        const since = c.state.violatedSince[item.name];
        if (!item.holds && since === undefined) {
          c.state.violatedSince[item.name] = at;
          c.emit("auditor.violated.v1", { ...item, at });
          news = true;
        } else if (item.holds && since !== undefined) {
          delete c.state.violatedSince[item.name];
          c.emit("auditor.restored.v1", { name: item.name, at, since });
          news = true;
        }
      }
      c.state.at = at;
      c.state.items = items;
      if (news) c.broadcast("invariants", "invariants.changed", { at, items }); // Auditor.A1
    }),

    get: query({ out: AuditView }, ({ state }) => ({ ...state })),
  }),
});
