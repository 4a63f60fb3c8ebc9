import * as v from "valibot";
import { Name } from "#actors/gateway/route/messages.ts";
import { plainBox, type SecretBox } from "#infra/secrets/secret-box.ts";
import { actor } from "#runtime";
import { PutSource, SourceView, sourceView, StoredSource } from "./messages.ts";

const State = v.object({ config: v.nullable(StoredSource) });

/**
 * Makes `source/<name>`: a sender of webhooks, with the secrets it signs with. They are in its state alone, sealed for the place
 * `source/<name>`, never in an event, a broadcast or an answer.
 */
export function createSource({ seal }: Pick<SecretBox, "seal">) {
  return actor("source", {
    key: Name,
    state: State,
    initial: (): v.InferOutput<typeof State> => ({ config: null }),
    messages: ({ command, query }) => ({
      put: command({ in: PutSource, out: v.object({ created: v.boolean() }) }, async (c, config) => {
        const secrets = await Promise.all(config.secrets.map((secret) => seal(secret, `source/${c.key}`)));
        const created = c.state.config === null;
        c.state.config = { ...config, secrets };
        c.broadcast("gateway", "source.changed", { name: c.key });
        return { created };
      }),
      /** Refused with `unknown_source`. */
      remove: command({}, (c) => {
        c.require(c.state.config !== null, "unknown_source");
        c.broadcast("gateway", "source.changed", { name: c.key });
        c.destroy();
      }),
      get: query({ out: v.nullable(SourceView) }, ({ key, state }) =>
        state.config === null ? null : sourceView(key, state.config),
      ),
    }),
  });
}

/** The source actor as a name for `troupe.ref`; the one that runs is made with its node's box. */
export const Source = createSource(plainBox);
