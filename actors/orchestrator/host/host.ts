import * as v from "valibot";
import { actor } from "#runtime";

/** Which hosts may exist. Becomes part of a task queue's name. */
export const HOST_NAME = /^[a-z0-9][a-z0-9.-]{0,62}$/;
export const HostName = v.pipe(
  v.string(),
  v.regex(HOST_NAME, "must be lower case, digits, dots and hyphens, at most 63"),
);

export const HostFacts = v.strictObject({
  driver: v.picklist(["docker", "kubernetes", "process"]),
  engineId: v.string(),
  version: v.string(),
  arch: v.string(),
  cpus: v.number(),
  memoryBytes: v.number(),
});
export type HostFacts = v.InferOutput<typeof HostFacts>;

/** A host as it is shown. `unreachable`: no process has had an answer of its engine lately. */
export const HostView = v.strictObject({
  name: v.string(),
  driver: HostFacts.entries.driver,
  version: v.string(),
  arch: v.string(),
  capacity: v.strictObject({ cpus: v.number(), memoryBytes: v.number() }),
  state: v.picklist(["ready", "unreachable"]),
  seenAt: v.string(),
});
export type HostView = v.InferOutput<typeof HostView>;

const State = v.object({ facts: v.nullable(HostFacts), seenAt: v.number() });

/** A host that nobody has heard of for so long counts as away. */
export const SILENT_AFTER_MS = 30_000;
/** And after so long as gone for good. */
export const GONE_AFTER_MS = 24 * 60 * 60_000;

/** `host/<name>`: one engine that processes with the role `scaler` drive. They say every few seconds that it answers. */
export const Host = actor("host", {
  key: HostName,
  state: State,
  initial: () => ({ facts: null, seenAt: 0 }),
  messages: ({ command }) => ({
    /** The engine has answered. Refused `name_taken`: another engine, which answers too, has this name. */
    heard: command({ in: HostFacts }, (c, facts) => {
      const { facts: known, seenAt } = c.state;
      const other = known !== null && known.engineId !== facts.engineId && c.now - seenAt < SILENT_AFTER_MS;
      c.require(!other, "name_taken", { name: c.key });
      c.state = { facts, seenAt: c.now };
    }),
    /** Nobody will use it any more. */
    forget: command({}, (c) => c.destroy()),
  }),
});

/** What is shown of a host; `undefined` where it was never heard of. */
export function hostView(
  name: string,
  { facts, seenAt }: v.InferOutput<typeof State>,
  nowMs: number,
): HostView | undefined {
  if (facts === null) return undefined;
  const { driver, version, arch, cpus, memoryBytes } = facts;
  return {
    name,
    driver,
    version,
    arch,
    capacity: { cpus, memoryBytes },
    state: nowMs - seenAt < SILENT_AFTER_MS ? "ready" : "unreachable",
    seenAt: new Date(seenAt).toISOString(),
  };
}
