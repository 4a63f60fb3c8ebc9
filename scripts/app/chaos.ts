/**
 * Faults on purpose, for development: `TROUPE_CHAOS=on`.
 *
 * X1 Every fault ends: by itself, when somebody ends it, and with this process.
 * X2 Only servers that the development stack of `TROUPE_DATA` has started are touched, only sinks of this process, only
 *    containers of our own.
 */
import type { Chaos, Fault, FaultRequest, FaultTarget } from "#actors/ingress/chaos.ts";
import { pause } from "#infra/base/pause.ts";
import type { Engine } from "#infra/engines/engine.ts";
import { isAlive, type ProcessMark, signalOne } from "#infra/stack/process-mark.ts";
import { readLiveRecord } from "#infra/stack/state-file.ts";
import { newId, type Sink } from "#runtime";

/** Without these there is nothing left to look at. */
const SPARED: ReadonlySet<string> = new Set(["postgres", "docker", "kubernetes"]);

/** What {@link AppChaos} is made with. */
export interface AppChaosOptions {
  /** The data folder of the stack. */
  readonly dataFolder: string;
  readonly engines: readonly Pick<Engine, "list" | "stop">[];
}

interface Lasting {
  readonly fault: Fault;
  readonly over: () => void;
}

/** Faults of this process and of the servers beside it. */
export class AppChaos implements Chaos, Disposable {
  readonly #options: AppChaosOptions;
  readonly #lasting = new Map<string, Lasting>();
  readonly #delays = new Map<string, number>();
  readonly #sinks = new Set<string>();

  constructor(options: AppChaosOptions) {
    this.#options = options;
    process.once("exit", () => this[Symbol.dispose]());
  }

  /** The sink, as slow as it is wanted to be. */
  sink(sink: Sink): Sink {
    this.#sinks.add(sink.name);
    return {
      ...sink,
      ...(sink.takes === undefined ? {} : { takes: (record) => sink.takes?.(record) !== false }),
      ...(sink.moved === undefined ? {} : { moved: (partition) => sink.moved?.(partition) }),
      check: () => sink.check(),
      close: () => sink.close(),
      publish: async (records, attempt) => {
        const delayMs = this.#delays.get(sink.name);
        if (delayMs !== undefined) await pause(delayMs);
        return sink.publish(records, attempt);
      },
    };
  }

  async targets(): Promise<readonly FaultTarget[]> {
    const servers = [...this.#servers().keys()];
    const containers = (await Promise.allSettled(this.#options.engines.map((engine) => engine.list()))).flatMap(
      (answer) => (answer.status === "fulfilled" ? answer.value : []),
    );
    return [
      ...servers.map((target) => ({ kind: "still" as const, target, label: target })),
      ...[...this.#sinks]
        .toSorted()
        .map((target) => ({ kind: "slow" as const, target, label: `the way to ${target}` })),
      ...containers
        .filter(({ state }) => state === "running")
        .map(({ id, service, replica }) => ({
          kind: "kill" as const,
          target: id,
          label: `${service}, replica ${replica}`,
        })),
    ];
  }

  faults(): readonly Fault[] {
    return [...this.#lasting.values()].map(({ fault }) => fault);
  }

  async begin(request: FaultRequest): Promise<Fault | undefined> {
    const { kind, target, forMs, delayMs } = request;
    const found = (await this.targets()).find((one) => one.kind === kind && one.target === target);
    if (found === undefined) return undefined;
    for (const { fault } of this.#lasting.values())
      if (fault.kind === kind && fault.target === target) this.end(fault.id);
    const now = Date.now();
    const fault: Fault = {
      ...{ ...found, id: newId("flt"), since: new Date(now).toISOString() },
      until: new Date(kind === "kill" ? now : now + forMs).toISOString(),
      delayMs: kind === "slow" ? delayMs : null,
    };
    if (kind === "kill") {
      await Promise.allSettled(this.#options.engines.map((engine) => engine.stop(target, 0)));
      return fault;
    }
    const undo = kind === "slow" ? this.#slow(target, delayMs) : this.#still(target, forMs);
    const timer = setTimeout(() => this.end(fault.id), forMs); // AppChaos.X1
    this.#lasting.set(fault.id, {
      fault,
      over: () => {
        clearTimeout(timer);
        undo();
      },
    });
    return fault;
  }

  end(id: string): boolean {
    const lasting = this.#lasting.get(id);
    if (lasting === undefined) return false;
    this.#lasting.delete(id);
    lasting.over();
    return true;
  }

  [Symbol.dispose](): void {
    for (const id of [...this.#lasting.keys()]) this.end(id);
  }

  #slow(sink: string, delayMs: number): () => void {
    this.#delays.set(sink, delayMs);
    return () => void this.#delays.delete(sink);
  }

  #still(server: string, forMs: number): () => void {
    const mark = this.#servers().get(server);
    if (mark === undefined) return () => undefined;
    // AppChaos.X1, also should this process be killed meanwhile.
    Bun.spawn(["sh", "-c", `sleep ${Math.ceil(forMs / 1_000)}; kill -CONT ${mark.pid} 2>/dev/null`], {
      stdio: ["ignore", "ignore", "ignore"],
    }).unref();
    signalOne(mark, "SIGSTOP");
    return () => signalOne(mark, "SIGCONT");
  }

  /** AppChaos.X2: the process of each native server that the stack runs now. */
  #servers(): ReadonlyMap<string, ProcessMark> {
    const record = readLiveRecord(this.#options.dataFolder);
    return new Map(
      (record?.servers ?? []).flatMap(({ name, how, processes }): [string, ProcessMark][] => {
        const own = processes.at(-1); // the server itself comes last
        return how === "native" && own !== undefined && isAlive(own) && !SPARED.has(name) ? [[name, own]] : [];
      }),
    );
  }
}
