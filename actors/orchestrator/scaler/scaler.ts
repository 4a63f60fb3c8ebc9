import * as v from "valibot";
import { actor } from "#runtime";
import { ServiceName } from "../service/messages.ts";
import { afterFailedStart, FRESH_SLOT } from "./backoff.ts";
import { afterLook, Expected, isBlank, type Look, Memory, NO_MEMORY } from "./memory.ts";
import { ContainerDied, ContainerStarted, type ObservedContainer, slotKey, Slots } from "./messages.ts";

/** A container that was seen last on a host that could not be asked now. */
const Hidden = v.strictObject({
  host: v.string(),
  containerId: v.string(),
  revision: v.string(),
  replica: v.number(),
  run: v.nullable(v.string()),
});
const Noted = v.strictObject({ fence: v.number(), slots: Slots, hidden: v.array(Hidden) });
const NoteLook = v.strictObject({
  hosts: v.array(v.strictObject({ host: v.string(), containers: v.nullable(v.array(v.any())) })),
  wanted: v.record(v.string(), v.number()),
});
const Begin = v.strictObject({ fence: v.number(), expected: v.record(v.string(), Expected) });
const Settle = v.strictObject({
  fence: v.number(),
  failed: v.array(
    v.strictObject({
      revision: v.string(),
      replica: v.number(),
      error: v.strictObject({ code: v.string(), message: v.string() }),
      /** Try again after so long, whatever happened before; `null`: the usual pauses. */
      retryInMs: v.nullable(v.number()),
    }),
  ),
  /** Containers whose end was announced, but did not come to pass. */
  kept: v.array(v.string()),
});

/**
 * `scaler/<service>`: what is remembered of a service's containers, and who may act on them. It talks to no engine: its
 * turns are short, and handovers wait for nobody. Each look at the world gets a token (`fence`); whoever acts on an older
 * one is refused, so that a straggler never undoes what a later look has decided.
 */
export const Scaler = actor("scaler", {
  key: ServiceName,
  state: Memory,
  initial: () => NO_MEMORY,
  emits: { "container.started.v1": ContainerStarted, "container.died.v1": ContainerDied },
  messages: ({ command, query }) => ({
    /** Takes what was seen: tells of starts and ends, counts the ends, and gives the token to act with. */
    look: command({ in: NoteLook, out: Noted }, (c, { hosts, wanted }) => {
      const look: Look = { service: c.key, hosts: hosts as Look["hosts"], wanted, nowMs: c.now };
      const { memory, seen } = afterLook(c.state, look);
      for (const { type, data } of seen) {
        if (type === "container.started.v1") c.emit(type, data);
        else c.emit(type, data);
      }
      // By the clock, so that it grows even where everything was forgotten; above whatever a container carries.
      const carried = hosts.flatMap(({ containers }) => (containers as ObservedContainer[] | null) ?? []);
      const fence = Math.max(memory.fence + 1, c.now, ...carried.map((one) => one.fence + 1));
      c.state = { ...memory, fence };
      if (isBlank(memory) && Object.values(wanted).every((count) => count === 0)) c.destroy();
      const silent = new Set(hosts.filter(({ containers }) => containers === null).map(({ host }) => host));
      const hidden = Object.entries(memory.known).flatMap(([containerId, { host, revision, replica, run }]) =>
        silent.has(host) ? [{ host, containerId, revision, replica, run }] : [],
      );
      return { fence, slots: memory.slots, hidden };
    }),

    /** Says which ends are wanted, before they are brought about. */
    begin: command({ in: Begin }, (c, { fence, expected }) => {
      c.require(fence === c.state.fence, "fenced", { fence: c.state.fence });
      c.state.expected = { ...c.state.expected, ...expected };
    }),

    /** Says what could not be done. */
    settle: command({ in: Settle }, (c, { failed, kept }) => {
      for (const id of kept) delete c.state.expected[id];
      // Too late: nothing is known of the service any more.
      if (isBlank(c.state) && c.state.fence === 0) return c.destroy();
      for (const { revision, replica, error, retryInMs } of failed) {
        const key = slotKey(revision, replica);
        const slot = c.state.slots[key] ?? FRESH_SLOT;
        c.state.slots[key] =
          retryInMs === null ? afterFailedStart(slot, error, c.now) : { ...slot, retryAt: c.now + retryInMs, error };
      }
    }),

    /** The token of the last look. */
    fence: query({ out: v.number() }, (c) => c.state.fence),

    /** What is remembered of each slot. */
    slots: query({ out: Slots }, (c) => c.state.slots),
  }),
});
