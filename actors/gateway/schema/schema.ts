import * as v from "valibot";
import { EventType } from "#actors/gateway/inbox/messages.ts";
import { actor } from "#runtime";
import { differences } from "./compatibility.ts";
import { PutSchema, SchemaVersion } from "./messages.ts";
import { schemaOf } from "./stored.ts";

const State = v.object({ versions: v.array(SchemaVersion) });
/** Versions kept, the newest ones. */
const MAX_VERSIONS = 10;

/**
 * `schema/<event type>`: what the data of events of a type must look like. The newest version holds.
 *
 * A version that would refuse what the one before takes is refused itself, unless forced.
 */
export const EventSchema = actor("schema", {
  key: EventType,
  state: State,
  initial: (): v.InferOutput<typeof State> => ({ versions: [] }),
  messages: ({ command, query }) => ({
    /** The same schema again is no new version. Refused with `incompatible`; `differences` names every place. */
    put: command(
      { in: PutSchema, out: v.object({ version: v.number(), changed: v.boolean() }) },
      (c, { force, ...put }) => {
        const latest = c.state.versions.at(-1);
        const schema = schemaOf(put);
        if (latest !== undefined && JSON.stringify(schemaOf(latest)) === JSON.stringify(schema))
          return { version: latest.version, changed: false };
        const broken = latest === undefined ? [] : differences(schemaOf(latest), schema);
        c.require(force || broken.length === 0, "incompatible", { differences: broken });
        const version = (latest?.version ?? 0) + 1;
        const at = new Date(c.now).toISOString();
        c.state.versions = [...c.state.versions, { version, at, forced: broken.length > 0, ...put }].slice(
          -MAX_VERSIONS,
        );
        c.broadcast("gateway", "schema.changed", { type: c.key, version });
        return { version, changed: true };
      },
    ),
    get: query({ out: v.array(SchemaVersion) }, ({ state }) => state.versions),
  }),
});
