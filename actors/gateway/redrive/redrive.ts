/**
 * Redrive: replays the dead letters that fit a filter, at a rate, until it has gone through all that there were.
 *
 * Owns: how far it has got, its pace, when it ends. Does not own: where a dead letter goes and the order of a key (the node's dead
 * letters, one step at a time).
 *
 * D1 A step is one turn, begun by a timer: it goes on after a crash, wherever the actor lives then. A step whose outcome
 *    was lost is done again; dead letters that took effect are gone by then, or are known by their ids.
 * D2 A step ends within seconds, so that its partition can move to another node.
 * D3 A step never fails: what hinders it is tried again, as this actor must not become a dead letter itself.
 */
import * as v from "valibot";
import { actor, type DeadLetters, type TurnContext } from "#runtime";
import { LetterFilter, RedriveId, RedriveStatus, RedriveView, StartRedrive } from "./messages.ts";

/** What a redrive asks its own node. */
export interface RedrivePorts {
  readonly summary: DeadLetters["summary"];
  readonly replaySome: DeadLetters["replaySome"];
}

const State = v.object({
  /** `null` before the start. */
  status: v.nullable(RedriveStatus),
  filter: LetterFilter,
  ratePerSecond: v.number(),
  matching: v.number(),
  /** Where the next step begins; `null` at the first. */
  from: v.nullable(v.string()),
  replayed: v.number(),
  failed: v.number(),
  heldUp: v.number(),
  failedInRow: v.number(),
  failures: v.array(v.object({ id: v.string(), detail: v.string() })),
  startedAt: v.number(),
  endedAt: v.nullable(v.number()),
  detail: v.nullable(v.string()),
});
type State = v.InferOutput<typeof State>;

/** Steps a second, as far as the rate allows. */
const STEPS_PER_SECOND = 4;
const MAX_STEP = 1_000;
/** Redrive.D2: no dead letter is begun later than this in a step. */
const STEP_MS = 2_000;
const AGAIN_MS = 1_000;
/** Dead letters that may fail one after the other, with none in between that takes effect. */
const MAX_FAILED_IN_ROW = 1_000;
const MAX_FAILURES_SHOWN = 20;
const MAX_DETAIL = 500;
/** How long a redrive that ended can be looked at. */
const KEPT = "168h";

/** Makes the redrive actor. */
export function createRedrive({ summary, replaySome }: RedrivePorts) {
  return actor("redrive", {
    key: RedriveId,
    state: State,
    initial: (): State => ({
      status: null,
      filter: {},
      ratePerSecond: 1,
      matching: 0,
      from: null,
      replayed: 0,
      failed: 0,
      heldUp: 0,
      failedInRow: 0,
      failures: [],
      startedAt: 0,
      endedAt: null,
      detail: null,
    }),
    messages: ({ command, query }) => ({
      start: command({ in: StartRedrive, out: RedriveView }, async (c, { filter, ratePerSecond }) => {
        c.require(c.state.status === null, "already_there");
        const matching = (await summary(filter)).reduce((sum, { count }) => sum + count, 0);
        Object.assign(c.state, { status: "running", filter, ratePerSecond, matching, startedAt: c.now });
        c.timers.set("step", { in: 0, send: "step" });
        return viewOf(c.key, c.state, "running");
      }),

      /** Begun by a timer. */
      step: command({}, async (c) => {
        const s = c.state;
        if (s.status !== "running") return;
        const limit = Math.max(1, Math.min(Math.round(s.ratePerSecond / STEPS_PER_SECOND), MAX_STEP));
        const options = { limit, withinMs: STEP_MS, ...(s.from !== null && { from: s.from }) };
        const step = await replaySome(s.filter, options).catch(textOf);
        if (typeof step === "string") {
          s.detail = step;
          c.timers.set("step", { in: AGAIN_MS, send: "step" }); // Redrive.D3
          return;
        }
        const { replayed, failed, heldUp, interrupted, next } = step;
        s.replayed += replayed.length;
        s.failed += failed.length;
        s.heldUp += heldUp;
        const shown = failed.map(({ id, detail }) => ({ id, detail: detail.slice(0, MAX_DETAIL) })).reverse();
        s.failures = [...shown, ...s.failures].slice(0, MAX_FAILURES_SHOWN);
        s.failedInRow = replayed.length > 0 ? 0 : s.failedInRow + failed.length;
        s.detail = interrupted?.slice(0, MAX_DETAIL) ?? null;
        s.from = next ?? null;
        if (next === undefined) return end(c, "completed", null);
        if (s.failedInRow >= MAX_FAILED_IN_ROW)
          return end(c, "stopped", `${s.failedInRow} letters failed one after the other`);
        const paceMs = ((replayed.length + failed.length) * 1_000) / s.ratePerSecond;
        c.timers.set("step", {
          in: Math.max(0, Math.round(interrupted === undefined ? paceMs : AGAIN_MS)),
          send: "step",
        });
      }),

      /** Refused with `unknown_redrive`. What was replayed stays replayed. One that has ended stays as it is. */
      stop: command({ out: RedriveView }, (c) => {
        if (c.state.status === null) return c.refuse("unknown_redrive");
        if (c.state.status === "running") end(c, "stopped", "It was told to");
        return viewOf(c.key, c.state, c.state.status);
      }),

      forget: command({}, (c) => c.destroy()),

      get: query({ out: v.nullable(RedriveView) }, ({ key, state }) =>
        state.status === null ? null : viewOf(key, state, state.status),
      ),
    }),
  });
}

const nowhere = (): Promise<never> => Promise.reject(new Error("Cannot replay here: this is only a name"));

/** The redrive actor as a name for `troupe.ref`; the one that runs is made with its node's ports. */
export const Redrive = createRedrive({ summary: nowhere, replaySome: nowhere });

/** What the outside sees of a redrive. Also made from a listed state. */
export function viewOf(id: string, state: Readonly<State>, status: v.InferOutput<typeof RedriveStatus>): RedriveView {
  const { ratePerSecond, matching, replayed, failed, heldUp, failures, detail } = state;
  return {
    id,
    status,
    ratePerSecond,
    matching,
    replayed,
    failed,
    heldUp,
    failures,
    startedAt: new Date(state.startedAt).toISOString(),
    endedAt: state.endedAt === null ? null : new Date(state.endedAt).toISOString(),
    detail,
  };
}

function end(
  c: TurnContext<State, Record<never, never>>,
  status: "completed" | "stopped",
  detail: string | null,
): void {
  Object.assign(c.state, { status, detail, endedAt: c.now });
  c.timers.cancel("step");
  c.timers.set("forget", { in: KEPT, send: "forget" });
}

function textOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, MAX_DETAIL);
}
