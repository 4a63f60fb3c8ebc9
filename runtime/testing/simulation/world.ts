/**
 * One simulated system: its time, its store, its nodes, what goes wrong, and the history of it.
 *
 * Owns: the lives of the nodes. Does not own: what is asked of them (the client), what is made of the history (the
 * checker).
 */
import type { AnyActorType } from "../../actor/any-actor.ts";
import { memory } from "../../memory/memory-store.ts";
import { createTroupe } from "../../node/create-troupe.ts";
import type { OutboxKind, Store } from "../../ports/store.ts";
import { FaultPlan, type TimedFault } from "./fault-plan.ts";
import type { CrashPoint, Fault } from "./faults.ts";
import type { HistoryEntry, NodeEntry } from "./history.ts";
import { EPOCH_MS, NodeLife } from "./node-life.ts";
import { SeededRandom } from "./seeded-random.ts";
import { simulatedSink } from "./simulated-sink.ts";
import { simulatedStore } from "./simulated-store.ts";
import { simulatedTransport } from "./simulated-transport.ts";
import type { Happening, Surroundings } from "./surroundings.ts";
import { VirtualTime } from "./virtual-time.ts";
import { watchedActor, watchingProbe } from "./watched-actor.ts";

/** What a world is made of. */
export interface WorldOptions {
  readonly actors: readonly AnyActorType[];
  readonly nodes: number;
  readonly seed: number;
  readonly spanMs: number;
  readonly leaseMs: number;
  readonly faults: readonly Fault[];
  readonly sinks: Readonly<Record<string, OutboxKind>>;
}

export class World implements Surroundings {
  readonly options: WorldOptions;
  readonly seed: number;
  readonly leaseMs: number;
  readonly time = new VirtualTime();
  readonly random: SeededRandom;
  readonly history: HistoryEntry[] = [];
  readonly store: Store;
  readonly plan: FaultPlan;
  readonly lives: NodeLife[] = [];
  readonly sinksDown = new Map<string, number>();
  /** Until when the store takes no commit. */
  stalledUntil = 0;
  underWay = 0;
  turns = 0;
  calls = 0;
  #starts = 0;
  #healed = false;

  constructor(options: WorldOptions) {
    const journaled = options.actors.find((type) => type.options.journal !== undefined);
    if (journaled !== undefined) {
      const why = "its commits hold events, and the checker follows states";
      throw new TypeError(`Cannot simulate the actor type "${journaled.type}" as it keeps a journal: ${why}`);
    }
    this.options = options;
    this.seed = options.seed;
    this.leaseMs = options.leaseMs;
    this.random = new SeededRandom(options.seed);
    this.plan = new FaultPlan(options.faults, this.random, options.spanMs, options.leaseMs);
    const { time } = this;
    this.store = memory("simulated", {
      now: () => Math.floor(EPOCH_MS + time.now),
      monotonic: () => time.now,
      after: (ms, task) => time.after(ms, task),
    });
    this.note({
      kind: "world",
      seed: options.seed,
      nodes: options.nodes,
      sinks: Object.entries(options.sinks).map(([name, accepts]) => ({ name, accepts })),
      mailboxes: Object.fromEntries(options.actors.map((type) => [type.type, type.options.mailbox?.max ?? 1_000])),
      queries: options.actors.flatMap((type) =>
        Object.keys(type.messages).flatMap((name) =>
          type.messages[name]?.kind === "query" ? [`${type.type}.${name}`] : [],
        ),
      ),
    });
  }

  note(entry: Happening): void {
    this.history.push({ at: this.time.now, ...entry } as HistoryEntry);
  }

  /** Calendar time, as the store has it. */
  now(): number {
    return Math.floor(EPOCH_MS + this.time.now);
  }

  startNodes(): void {
    for (let slot = 0; slot < this.options.nodes; slot++) this.#start(slot);
  }

  /** From now on things go wrong, until {@link heal}. Resolves after the span of time in which they do. */
  async breakThings(): Promise<void> {
    this.plan.begin();
    for (const fault of this.plan.timed) {
      this.time.after(fault.atMs, () => {
        if (!this.#healed) this.#strike(fault);
      });
    }
    await this.time.sleep(this.options.spanMs);
  }

  /** Nothing goes wrong any more, and what is down comes back. */
  heal(): void {
    this.#healed = true;
    this.plan.heal();
    this.sinksDown.clear();
    this.stalledUntil = 0;
    for (const life of this.lives) {
      if (life.paused) this.#resume(life);
      if (!life.alive) this.#start(life.slot);
    }
    this.note({ kind: "fault", fault: "none", detail: "nothing goes wrong from here on" });
  }

  crashesAt(point: CrashPoint, life: NodeLife, actors: () => readonly string[], message?: string): boolean {
    if (!life.alive || !this.plan.crashesAt(point, actors, message)) return false;
    this.note({ kind: "fault", fault: `crash-${point}`, detail: life.id });
    this.#crash(life, this.random.fraction() * this.options.leaseMs * 1.5);
    return true;
  }

  #strike({ kind, forMs, which }: TimedFault): void {
    if (kind === "sink-down") {
      const names = Object.keys(this.options.sinks);
      const name = names[which % names.length];
      if (name === undefined) return;
      this.sinksDown.set(name, this.time.now + forMs);
      this.note({ kind: "fault", fault: kind, detail: `${name} for ${Math.round(forMs)} ms` });
      return;
    }
    if (kind === "store-stalled") {
      this.stalledUntil = Math.max(this.stalledUntil, this.time.now + forMs);
      this.note({ kind: "fault", fault: kind, detail: `for ${Math.round(forMs)} ms` });
      return;
    }
    const life = this.lives[which % this.lives.length] as NodeLife;
    if (!life.alive || life.paused) return;
    if (kind === "crash") this.#crash(life, forMs);
    else if (kind === "pause") this.#pause(life, forMs);
    else this.#stop(life, forMs);
  }

  #start(slot: number): void {
    const skewMs = this.plan.skewed ? this.random.between(-250, 250) : 0;
    const life = new NodeLife(slot, ++this.#starts, this.time, this.random, skewMs);
    this.lives[slot] = life;
    this.#tell(life, "starting");
    const { actors, sinks, leaseMs } = this.options;
    void createTroupe({
      actors: actors.map((type) => watchedActor(type, life, this)),
      stores: { default: simulatedStore(this, life) },
      sinks: Object.entries(sinks).map(([name, accepts]) => simulatedSink(this, life, name, accepts)),
      transport: simulatedTransport(this, life),
      nodeId: life.id,
      clock: life.clock,
      randomness: this.random,
      probe: watchingProbe(life, this),
      leaseMs,
    }).then(
      (troupe) => {
        life.troupe = troupe;
        if (life.alive) this.#tell(life, "started");
      },
      () => this.#crash(life, 50),
    );
  }

  #crash(life: NodeLife, forMs: number): void {
    if (!life.alive) return;
    this.#tell(life, "crashed");
    this.#bury(life, forMs);
  }

  #pause(life: NodeLife, forMs: number): void {
    life.pause();
    this.#tell(life, "paused");
    this.time.after(forMs, () => this.#resume(life));
  }

  #resume(life: NodeLife): void {
    if (!life.alive || !life.paused) return;
    this.#tell(life, "resumed");
    life.resume();
  }

  #stop(life: NodeLife, forMs: number): void {
    if (!life.up) return;
    life.stopping = true;
    this.#tell(life, "stopping");
    const gone = (): void => {
      if (!life.alive) return;
      this.#tell(life, "stopped");
      this.#bury(life, forMs);
    };
    void life.troupe?.stop(500).then(gone, gone);
  }

  #bury(life: NodeLife, forMs: number): void {
    life.die();
    this.time.after(this.#healed ? 1 : forMs, () => {
      if (this.lives[life.slot] === life) this.#start(life.slot);
    });
  }

  #tell(life: NodeLife, event: NodeEntry["event"]): void {
    this.note({ kind: "node", node: life.id, event });
  }
}
