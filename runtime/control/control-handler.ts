/**
 * Answers control messages on the node that owns the actor: pause, resume, reload, inspect, and publishing the record
 * of a dead letter again.
 */

import type { ActivationDirectory } from "../activation/activation-directory.ts";
import type { ActorReader } from "../activation/actor-reader.ts";
import type { Control } from "../actor/control-messages.ts";
import type { Delivery } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { PublishResult } from "../ports/sink.ts";
import type { ActorId, OutboxRecord, Store } from "../ports/store.ts";
import type { Relays } from "../relay/relays.ts";
import { timerView } from "../timers/turn-timers.ts";
import type { ActorInspection, RecentTurns } from "./inspection.ts";
import type { PausedActors } from "./paused-actors.ts";

/** What control messages work with. */
export interface ControlParts {
  readonly nodeId: string;
  readonly store: Store;
  readonly partitions: PartitionTable;
  readonly relays: Relays;
  readonly reader: ActorReader;
  readonly actors: ActivationDirectory;
  readonly held: PausedActors;
  /** `undefined`: turns are not remembered. */
  readonly recent: RecentTurns | undefined;
}

/** Milliseconds the record of a dead letter has to reach its sink. */
const PUBLISH_WITHIN_MS = 20_000;

export class ControlHandler {
  readonly #parts: ControlParts;
  constructor(parts: ControlParts) {
    this.#parts = parts;
  }

  /** @param deliver hands messages to their actors, once one was loaded anew. */
  handle(delivery: Delivery, deliver: (delivery: Delivery) => void): void {
    this.#answer(delivery.envelope, deliver).then(
      (reply) => delivery.succeed(reply === undefined ? undefined : JSON.stringify(reply)),
      (error: unknown) => delivery.fail(error),
    );
  }

  async #answer({ type, key, message, input }: Envelope, deliver: (delivery: Delivery) => void): Promise<unknown> {
    const actor = { type, key, partition: this.#parts.partitions.of(type, key) };
    switch (message as Control) {
      case "$pause":
        return this.#parts.held.pause(actor, input as string);
      case "$resume":
        return this.#parts.held.resume(actor);
      case "$reload":
        return this.#parts.held.reload(actor, () => this.#leave(actor), deliver);
      case "$inspect":
        return this.#inspect(actor);
      case "$publish":
        return this.#publish(input as { readonly sink: string; readonly record: OutboxRecord });
    }
  }

  /** Takes the actor out of memory, and waits until what it has finished is durable or lost. */
  async #leave(actor: ActorId): Promise<void> {
    const activation = this.#parts.actors.find(actor.type, actor.key);
    if (activation === undefined) return;
    const { address } = activation;
    const error = new TroupeError("unavailable", `Cannot finish a message of ${address} as it is loaded anew`);
    const passivated = activation.discard(error, "reload");
    await new Promise<void>((resolve) => activation.settled({ succeed: () => resolve(), fail: () => resolve() }));
    await passivated;
    this.#parts.actors.forget(actor);
  }

  async #inspect({ type, key, partition }: ActorId & { readonly partition: number }): Promise<ActorInspection> {
    const { store, nodeId } = this.#parts;
    const activation = this.#parts.actors.find(type, key);
    const active = activation !== undefined && !activation.gone;
    const [loaded, timers] = await Promise.all([this.#parts.reader.load({ type, key }), store.timersOf({ type, key })]);
    return {
      type,
      key,
      nodeId,
      partition,
      exists: loaded.state !== undefined,
      version: loaded.version,
      state: loaded.state === undefined ? undefined : (JSON.parse(loaded.state) as unknown),
      paused: this.#parts.held.pauseOf({ type, key }),
      timers: timers.map(timerView),
      active,
      mailboxDepth: active ? activation.depth : 0,
      turns: activation === undefined ? [] : (this.#parts.recent?.of(activation) ?? []),
    };
  }

  async #publish({ sink, record }: { readonly sink: string; readonly record: OutboxRecord }): Promise<PublishResult> {
    const relay = this.#parts.relays.find(sink);
    if (relay === undefined)
      throw new TroupeError("unavailable", `Cannot publish ${record.name} as there is no sink ${sink}`);
    return relay.replay(record, PUBLISH_WITHIN_MS);
  }
}
