import * as v from "valibot";
import { afterEnd, FRESH_SLOT } from "./backoff.ts";
import { type ContainerDied, type ContainerStarted, type ObservedContainer, slotKey, Slots } from "./messages.ts";

/** Why a container is going to end: somebody here asked for it. */
export const Expected = v.picklist(["unhealthy", "stopped", "removed"]);

/** A container that was seen. `run`: when the run that was announced began; `ended`: the last end that was looked at. */
const Known = v.strictObject({
  host: v.string(),
  revision: v.string(),
  replica: v.number(),
  run: v.nullable(v.string()),
  ended: v.nullable(v.string()),
});

/** What is remembered of a service's containers. */
export const Memory = v.strictObject({
  /** The token of the last look. Whoever acts on an older one is stopped. */
  fence: v.number(),
  slots: Slots,
  known: v.record(v.string(), Known),
  expected: v.record(v.string(), Expected),
});
export type Memory = v.InferOutput<typeof Memory>;

export const NO_MEMORY: Memory = { fence: 0, slots: {}, known: {}, expected: {} };

/** What was seen on the hosts. `containers: null`: the host could not be asked. */
export interface Look {
  readonly service: string;
  readonly hosts: readonly { readonly host: string; readonly containers: readonly ObservedContainer[] | null }[];
  /** How many replicas of which revision are wanted. Slots of others are forgotten with their containers. */
  readonly wanted: Readonly<Record<string, number>>;
  readonly nowMs: number;
}

/** An event to be emitted. */
export type Seen =
  | { readonly type: "container.started.v1"; readonly data: v.InferOutput<typeof ContainerStarted> }
  | { readonly type: "container.died.v1"; readonly data: v.InferOutput<typeof ContainerDied> };

/**
 * What is remembered after a look, and the events that it makes. Each run of a container is told of once, and its end
 * once, whatever was missed in between: M1 a run that began and ended unseen has both events; M2 a container that is gone
 * has ended; M3 nothing is said about the containers of a host that could not be asked.
 */
export function afterLook(before: Memory, look: Look): { readonly memory: Memory; readonly seen: readonly Seen[] } {
  const { service, nowMs } = look;
  const slots = { ...before.slots };
  const known = { ...before.known };
  const expected = { ...before.expected };
  const seen: Seen[] = [];

  const started = (id: string, revision: string, replica: number): void => {
    const restarts = slots[slotKey(revision, replica)]?.restarts ?? 0;
    seen.push({ type: "container.started.v1", data: { service, revision, replica, containerId: id, restarts } });
  };
  const died = (
    id: string,
    { revision, replica }: { revision: string; replica: number },
    end: { ranMs: number; exitCode: number | null; oomKilled: boolean; gone?: boolean },
  ): void => {
    const asked = expected[id];
    const reason = asked === "removed" ? "removed" : end.gone ? "lost" : end.oomKilled ? "oom" : "exited";
    const data = { service, revision, replica, containerId: id, reason, exitCode: end.exitCode } as const;
    seen.push({ type: "container.died.v1", data });
    if (asked === "removed" || asked === "stopped") return;
    const key = slotKey(revision, replica);
    slots[key] = afterEnd(slots[key] ?? FRESH_SLOT, { ...end, unhealthy: asked === "unhealthy" }, nowMs);
  };

  for (const { host, containers } of look.hosts) {
    if (containers === null) continue; // M3
    const present = new Set<string>();
    for (const c of containers) {
      present.add(c.id);
      const k = known[c.id] ?? { host, revision: c.revision, replica: c.replica, run: null, ended: null };
      known[c.id] = k;
      if (c.stuck !== null) continue;
      const ranMs = c.startedAt && c.finishedAt ? Math.max(0, Date.parse(c.finishedAt) - Date.parse(c.startedAt)) : 0;
      if (c.state === "running" || c.state === "paused") {
        if (k.run === c.startedAt) continue;
        if (k.run !== null) {
          died(c.id, k, { ranMs: Math.max(0, nowMs - Date.parse(k.run)), exitCode: null, oomKilled: false });
          delete expected[c.id];
        }
        started(c.id, c.revision, c.replica);
        const slot = slots[slotKey(c.revision, c.replica)];
        if (slot?.error && slot.ranMs === 0) slots[slotKey(c.revision, c.replica)] = { ...slot, error: null };
        known[c.id] = { ...k, run: c.startedAt };
      } else if (c.state === "exited" || c.state === "dead" || c.state === "restarting") {
        if (k.run === null && (c.finishedAt === null || c.finishedAt === k.ended)) continue;
        if (k.run === null) started(c.id, c.revision, c.replica); // M1
        died(c.id, k, { ranMs, exitCode: c.exitCode, oomKilled: c.oomKilled });
        if (expected[c.id] !== "removed") delete expected[c.id];
        known[c.id] = { ...k, run: null, ended: c.finishedAt };
      }
    }
    for (const [id, k] of Object.entries(known)) {
      if (k.host !== host || present.has(id)) continue;
      // M2
      if (k.run !== null)
        died(id, k, { ranMs: Math.max(0, nowMs - Date.parse(k.run)), exitCode: null, oomKilled: false, gone: true });
      delete known[id];
      delete expected[id];
    }
  }

  const filled = new Set(Object.values(known).map((k) => slotKey(k.revision, k.replica)));
  for (const key of Object.keys(slots)) {
    const at = key.lastIndexOf("/");
    const wanted = (look.wanted[key.slice(0, at)] ?? 0) > Number(key.slice(at + 1));
    if (!wanted && (!filled.has(key) || Object.values(look.wanted).every((count) => count === 0))) delete slots[key];
  }
  return { memory: { fence: before.fence, slots, known, expected }, seen };
}

/** Whether nothing is left to be remembered. */
export function isBlank({ slots, known, expected }: Memory): boolean {
  return [slots, known, expected].every((record) => Object.keys(record).length === 0);
}
