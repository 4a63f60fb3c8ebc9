import type { AnyActorType } from "../actor/any-actor.ts";
import type { SetTimer, Timers, TimerView } from "../actor/context.ts";
import { durationMs } from "../base/duration.ts";
import { MAX_EFFECTS, MAX_KEY_LENGTH } from "../base/limits.ts";
import { exactJson } from "../message/exact-json.ts";
import { own } from "../message/own-fault.ts";
import { isName, parseInput } from "../message/validate.ts";
import type { FiredTimer } from "../ports/envelope.ts";
import type { ActorId, TimerRow, TimerWrite } from "../ports/store.ts";
import { followingTick, type Schedule, scheduleOf, tickAfter } from "./schedule.ts";

/** What a turn's timers work with. */
export interface TimerSource {
  readonly reader: {
    /** The actor's timers as of the turn's beginning, turns that are not durable yet included. */
    timersOf(actor: ActorId): Promise<readonly TimerRow[]>;
  };
  readonly log: {
    /** A tick of a timer could not be told in time and was skipped. */
    ticksSkipped(timer: TimerRow, until: number): void;
  };
}

/** The timer changes of one turn: collected here, committed with it, or dropped with it (G2). */
export class TurnTimers implements Timers {
  readonly writes = new Map<string, TimerWrite>();
  readonly #type: AnyActorType;
  readonly #actor: ActorId & { readonly partition: number };
  readonly #now: number;
  readonly #source: TimerSource;
  readonly #traceparent: string | undefined;
  #sealed = false;

  constructor(
    type: AnyActorType,
    actor: ActorId & { readonly partition: number },
    now: number,
    source: TimerSource,
    traceparent: string | undefined,
  ) {
    this.#type = type;
    this.#actor = actor;
    this.#now = now;
    this.#source = source;
    this.#traceparent = traceparent;
  }

  /** The turn is over: nothing is set any more. */
  seal(): void {
    this.#sealed = true;
  }

  set(name: string, timer: SetTimer): void {
    this.#check(name);
    const { type } = this.#type;
    if (!isName(name)) {
      throw new TypeError(
        `Cannot set the timer ${JSON.stringify(name)} of ${type}: expected a name of 1 to ${MAX_KEY_LENGTH} printable characters`,
      );
    }
    const definition = this.#type.messages[timer.send];
    if (definition?.kind !== "command") {
      throw new TypeError(`Cannot set the timer "${name}" of ${type} as "${timer.send}" is not one of its commands`);
    }
    own(() => parseInput(definition.in, timer.with, `the timer ${name}`, `${type}/${this.#actor.key}`));
    const due = this.#due(name, timer);
    this.#write({
      ...this.#actor,
      name,
      ...due,
      // Each tick of one that comes again begins a trace of its own.
      ...(due.schedule === undefined && this.#traceparent !== undefined && { traceparent: this.#traceparent }),
      message: timer.send,
      input: timer.with === undefined ? undefined : exactJson(timer.with, `the timer ${name}`),
    });
  }

  cancel(name: string): void {
    this.#check(name);
    this.#write({ ...this.#actor, name, dueAt: undefined });
  }

  #check(name: string): void {
    if (!this.#sealed) return;
    const address = `${this.#type.type}/${this.#actor.key}`;
    throw new TypeError(`Cannot change the timer ${JSON.stringify(name)} of ${address} as its turn is over`);
  }

  async get(name: string): Promise<TimerView | undefined> {
    return (await this.list()).find((timer) => timer.name === name);
  }

  async list(): Promise<readonly TimerView[]> {
    const rows = new Map((await this.#source.reader.timersOf(this.#actor)).map((row) => [row.name, row]));
    for (const write of this.writes.values()) {
      if (write.dueAt === undefined) rows.delete(write.name);
      else rows.set(write.name, write);
    }
    return [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)).map(timerView);
  }

  /** The turn of a timer ended well: its timer is done, or stands at its next tick, unless the turn set it anew. */
  fired({ name, dueAt, message, input, schedule }: FiredTimer): void {
    if (this.writes.has(name)) return;
    const next = schedule === undefined ? undefined : followingTick(schedule, dueAt, this.#now);
    if (next === undefined) {
      this.writes.set(name, { ...this.#actor, name, dueAt: undefined });
      return;
    }
    const row = { ...this.#actor, name, message, input, dueAt: next.dueAt, schedule: next.schedule };
    if (next.overrun) this.#source.log.ticksSkipped({ ...row, dueAt }, next.dueAt);
    this.writes.set(name, row);
  }

  #due(name: string, timer: SetTimer): { readonly dueAt: number; readonly schedule?: string } {
    const given = (["in", "at", "cron", "every"] as const).filter(
      (key) => (timer as Record<string, unknown>)[key] !== undefined,
    );
    if (given.length !== 1) {
      const what = given.map((key) => `${key}: ${JSON.stringify((timer as Record<string, unknown>)[key])}`).join(", ");
      throw new TypeError(
        `Cannot set the timer "${name}" of ${this.#type.type}: expected one of "in", "at", "cron" and "every", got ${what || "none"}`,
      );
    }
    if ("in" in timer || "at" in timer) {
      const at =
        "at" in timer ? timer.at : this.#now + (typeof timer.in === "number" ? timer.in : durationMs(timer.in));
      if (!Number.isFinite(at)) throw new TypeError(`Cannot set the timer "${name}" of ${this.#type.type} to ${at}`);
      return { dueAt: Math.ceil(at) };
    }
    const schedule: Schedule = scheduleOf(timer);
    const dueAt = tickAfter(schedule, this.#now, this.#now);
    if (dueAt === undefined) {
      throw new TypeError(
        `Cannot set the timer "${name}" of ${this.#type.type} as ${JSON.stringify(schedule)} never ticks`,
      );
    }
    return { dueAt, schedule: JSON.stringify(schedule) };
  }

  #write(write: TimerWrite): void {
    if (this.writes.size >= MAX_EFFECTS) {
      throw new RangeError(
        `Cannot change the timer "${write.name}" of ${this.#type.type}/${this.#actor.key}: limit is ${MAX_EFFECTS} timers a turn`,
      );
    }
    this.writes.set(write.name, write);
  }
}

/** A timer as actors and administrators see it. */
export function timerView({ name, dueAt, message, input, schedule }: TimerRow): TimerView {
  const { cron, zone, every, missed } = (schedule === undefined ? {} : JSON.parse(schedule)) as {
    readonly cron?: string;
    readonly zone?: string;
    readonly every?: number;
    readonly missed?: TimerView["missed"];
  };
  return {
    name,
    dueAt,
    send: message,
    ...(input !== undefined && { with: JSON.parse(input) as unknown }),
    ...(cron !== undefined && { cron }),
    ...(zone !== undefined && { zone }),
    ...(every !== undefined && { every }),
    ...(missed !== undefined && { missed }),
  };
}
