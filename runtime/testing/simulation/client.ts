import type { AnyActorType } from "../../actor/any-actor.ts";
import { makeRef } from "../../actor/ref.ts";
import type { ActorRef, CallOptions } from "../../actor/ref.ts";
import { TroupeError } from "../../message/errors.ts";
import type { CallOutcome } from "./history.ts";
import type { NodeLife } from "./node-life.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { Surroundings } from "./surroundings.ts";
import { traceOf } from "./watched-actor.ts";

/** How a simulated client behaves. */
export interface RefOptions {
  /** A call that carries an id and fails retryably is made this many times at most, each at any node. Default 1. */
  readonly tries?: number;
}

/** What a workload has in hand: one client of the system. */
export interface SimulatedClient {
  /** Chance, from the seed. Whatever a workload decides it has to decide by this. */
  readonly random: SeededRandom;
  /** Which step this is, from 0; -1 in `prepare`. */
  readonly step: number;
  /** A handle on an actor. Each call goes to any node that is up. */
  ref<A extends AnyActorType>(type: A, key: string, options?: RefOptions): ActorRef<A>;
  /** Waits in the simulation's time. */
  sleep(ms: number): Promise<void>;
}

const CALL_TIMEOUT = "2s";

/** A client of `world`. */
export function simulatedClient(world: Surroundings, step: number): SimulatedClient {
  return {
    random: world.random,
    step,
    ref: (type, key, { tries = 1 } = {}) =>
      makeRef(type, (message, input, options) => ask(world, tries, type.type, key, message, input, options)),
    sleep: (ms) => world.time.sleep(ms),
  };
}

async function ask(
  world: Surroundings,
  tries: number,
  type: string,
  key: string,
  message: string,
  input: unknown,
  options: CallOptions = {},
): Promise<unknown> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await askOnce(world, await anyNode(world), type, key, message, input, options);
    } catch (error) {
      const again = options.id !== undefined && error instanceof TroupeError && error.retryable;
      if (!again || attempt >= tries) throw error;
      await world.time.sleep(5 + world.random.fraction() * 100);
    }
  }
}

async function anyNode(world: Surroundings): Promise<NodeLife> {
  for (;;) {
    const up = world.lives.filter((life) => life.up);
    if (up.length > 0) return world.random.pick(up);
    await world.time.sleep(20);
  }
}

function askOnce(
  world: Surroundings,
  life: NodeLife,
  type: string,
  key: string,
  message: string,
  input: unknown,
  options: CallOptions,
): Promise<unknown> {
  const call = ++world.calls;
  world.note({
    kind: "call",
    call,
    node: life.id,
    actor: `${type}/${key}`,
    message,
    input: JSON.stringify(input) ?? null,
    id: options.id ?? null,
  });
  return new Promise((resolve, reject) => {
    const answered = (outcome: CallOutcome, settle: () => void): void => {
      if (!life.mourners.delete(died)) return;
      world.note({ kind: "answer", call, actor: `${type}/${key}`, outcome });
      settle();
    };
    const died = (): void => {
      const text = `Cannot tell what became of ${message} for ${type}/${key} as the node ${life.id} died`;
      answered({ kind: "unknown" }, () => reject(new TroupeError("deadline_exceeded", text)));
    };
    life.mourners.add(died);
    life.after(world.random.fraction() * 2, () => {
      const traceparent = traceOf(call);
      life.troupe?.call(type, key, message, input, { timeout: CALL_TIMEOUT, ...options, traceparent }).then(
        (reply) => {
          const text = reply === undefined ? null : JSON.stringify(reply);
          answered({ kind: "ok", reply: text }, () => resolve(reply));
        },
        (error: unknown) => {
          const code = error instanceof TroupeError ? error.code : String(error);
          answered({ kind: "error", code }, () => reject(error instanceof Error ? error : new Error(code)));
        },
      );
    });
  });
}
