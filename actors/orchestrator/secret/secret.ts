import * as v from "valibot";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import { actor, type Troupe } from "#runtime";
import { PutSecret, SecretName, SecretView } from "./messages.ts";

const State = v.object({ sealed: v.string(), version: v.number(), updatedAt: v.string() });

/** `secret/<name>`: a value that services get by name. Sealed before it comes here; no message but {@link open} shows it. */
export const Secret = actor("secret", {
  key: SecretName,
  state: State,
  initial: () => ({ sealed: "", version: 0, updatedAt: "" }),
  messages: ({ command, query }) => ({
    put: command({ in: PutSecret, out: SecretView }, (c, { sealed }) => {
      c.state = { sealed, version: c.state.version + 1, updatedAt: new Date(c.now).toISOString() };
      return { name: c.key, version: c.state.version, updatedAt: c.state.updatedAt };
    }),
    remove: command({ out: v.boolean() }, (c) => {
      const there = c.state.version > 0;
      c.destroy();
      return there;
    }),
    get: query({ out: v.nullable(SecretView) }, ({ key, state }) => secretView(key, state) ?? null),
    /** What was put, as it was put: sealed. `null`: nothing. */
    open: query({ out: v.nullable(v.string()) }, ({ state }) => (state.version === 0 ? null : state.sealed)),
  }),
});

/** What is shown of a secret; `undefined` where there is none. */
export function secretView(name: string, { version, updatedAt }: v.InferOutput<typeof State>): SecretView | undefined {
  return version === 0 ? undefined : { name, version, updatedAt };
}

/** Where a secret is kept: a sealed value opens nowhere else. */
export const secretPlace = (name: string): string => `secret/${name}`;

/** The values of secrets, for those who make containers. `undefined`: there is none of this name. */
export function secretValues(troupe: Pick<Troupe, "ref">, box: SecretBox) {
  return async (name: string): Promise<string | undefined> => {
    const sealed = await troupe.ref(Secret, name).open();
    return sealed === null ? undefined : await box.open(sealed, secretPlace(name));
  };
}
