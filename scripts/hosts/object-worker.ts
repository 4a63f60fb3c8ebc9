/** A worker whose actors live in a Durable Object: those of the door's suite, and one that fires a timer. */
import * as v from "valibot";
import { Counter, Room } from "#infra/door/door-bench.ts";
import { expose } from "#infra/door/mod.ts";
import { actorObject, httpSink, type ObjectNamespace, toObject } from "#infra/durable-object/mod.ts";
import { actor } from "#runtime";

/** Rings by a timer, and tells of it by an event. */
export const Bell = actor("bell", {
  state: v.object({ rung: v.number() }),
  initial: () => ({ rung: 0 }),
  emits: { "bell.rung.v1": v.object({ nth: v.number() }) },
  messages: ({ command, query }) => ({
    ringIn: command({ in: v.number() }, (c, ms) => c.timers.set("ring", { in: ms, send: "ring" })),
    ring: command({}, (c) => c.emit("bell.rung.v1", { nth: ++c.state.rung })),
    rung: query({ out: v.number() }, (c) => c.state.rung),
  }),
});

interface Env {
  readonly ACTORS: ObjectNamespace;
  readonly EVENTS_URL: string;
}

export class Actors extends actorObject(({ EVENTS_URL }: Env) => ({
  actors: [expose(Counter, { topics: () => ["counters/all"] }), Room, Bell],
  authorize: () => true,
  sinks: [httpSink({ url: EVENTS_URL })],
})) {}

// oxlint-disable-next-line import/no-default-export -- the form of a worker
export default {
  fetch: (request: Request, { ACTORS }: Env): Promise<Response> => toObject(request, ACTORS),
};
