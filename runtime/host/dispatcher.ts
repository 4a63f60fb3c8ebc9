/**
 * The way of a message to its actor on this node.
 *
 * Owns: whether messages are taken at all. Does not own: the actors (`ActivationDirectory`), which partitions are about to move
 * (`PartitionLifecycle`), which actors are held up (`PausedActors`).
 * Calls in: `resident` and `deliverTo` (the short way), `deliver`, `watch`, `abandon`, `stop`.
 *
 * I1 no turn begins in a partition that is about to move, but for one that a running turn waits for.
 */

import type { ActivationDirectory } from "../activation/activation-directory.ts";
import type { ActivationParts } from "../activation/activation-parts.ts";
import { Activation } from "../activation/activation.ts";
import type { AnyActorType, AnyMessageDefinition } from "../actor/any-actor.ts";
import { isControlEnvelope, messageOf } from "../actor/control-messages.ts";
import type { ControlHandler } from "../control/control-handler.ts";
import type { RecentTurns } from "../control/inspection.ts";
import type { PausedActors } from "../control/paused-actors.ts";
import type { Delivery, CallTaker } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import { movingError } from "../ownership/partition.ts";
import type { Envelope, Seen } from "../ports/envelope.ts";
import type { Probe } from "../ports/probe.ts";
import type { WatchPolls } from "../watch/watch-polls.ts";
import type { Suspects } from "./suspects.ts";

/** What a dispatcher gives messages to. */
export interface DispatcherParts {
  readonly types: ReadonlyMap<string, AnyActorType>;
  readonly partitions: PartitionTable;
  readonly actors: ActivationDirectory;
  readonly held: PausedActors;
  readonly suspects: Suspects;
  readonly controls: ControlHandler;
  readonly watchers: WatchPolls;
  /** `undefined`: turns are not remembered. */
  readonly recent: RecentTurns | undefined;
  readonly probe: Probe | undefined;
  /** Partitions that are about to move. */
  readonly closing: ReadonlySet<number>;
  /** What the actors work with. */
  readonly activation: ActivationParts;
}

export class Dispatcher implements CallTaker {
  readonly #parts: DispatcherParts;
  readonly #actors: ActivationDirectory;
  readonly #held: PausedActors;
  readonly #suspects: Suspects;
  readonly #closing: ReadonlySet<number>;
  readonly #recent: RecentTurns | undefined;
  readonly #probe: Probe | undefined;
  /** What waited because it may have ended a process goes on its way. */
  readonly #pass = (delivery: Delivery): void => {
    const { type: name, message } = delivery.envelope;
    const type = this.#parts.types.get(name) as AnyActorType;
    const definition = messageOf(type, message) as AnyMessageDefinition;
    if (this.#stopping || (this.#closing.size > 0 && this.#mustWait(delivery.envelope))) delivery.fail(movingError());
    else if (this.#held.size === 0 || !this.#held.takes(delivery, definition))
      this.#toActor(type, delivery, definition);
  };
  #stopping = false;

  constructor(parts: DispatcherParts) {
    this.#parts = parts;
    this.#actors = parts.actors;
    this.#held = parts.held;
    this.#suspects = parts.suspects;
    this.#closing = parts.closing;
    this.#recent = parts.recent;
    this.#probe = parts.probe;
  }

  /** The actor, when it is in memory here. */
  resident(type: string, key: string): Activation | undefined {
    return this.#actors.find(type, key);
  }

  /** As `deliver`, to an actor that was found in memory in this very step. */
  deliverTo(activation: Activation, delivery: Delivery, definition: AnyMessageDefinition, now: number): void {
    if (
      this.#stopping ||
      this.#closing.size > 0 ||
      this.#held.size > 0 ||
      this.#recent !== undefined ||
      this.#mayBeSuspect(delivery)
    ) {
      this.deliver(delivery);
      return;
    }
    this.#actors.touch(activation, now);
    activation.deliver(delivery, definition);
    this.#probe?.delivered(delivery.envelope, activation.depth);
  }

  /** Hands a message to its actor here. The caller has made sure that this node holds the partition. */
  deliver(delivery: Delivery): void {
    const { type: typeName, key, message } = delivery.envelope;
    const type = this.#parts.types.get(typeName) as AnyActorType;
    const definition = messageOf(type, message);
    if (this.#stopping) {
      const text = `Cannot take ${message} for ${typeName}/${key} as this node is shutting down`;
      delivery.fail(new TroupeError("stopping", text));
      return;
    }
    if (this.#closing.size > 0 && this.#mustWait(delivery.envelope)) {
      delivery.fail(movingError());
      return;
    }
    if (definition === undefined) {
      if (isControlEnvelope(delivery.envelope))
        this.#parts.controls.handle(delivery, (message) => this.deliver(message));
      // A timer may outlive its message: it was set by an earlier version.
      else delivery.fail(new TroupeError("unknown_message", `Cannot find the message "${message}" of ${typeName}`));
      return;
    }
    if (this.#held.size !== 0 && this.#held.takes(delivery, definition)) return;
    if (this.#mayBeSuspect(delivery) && definition.kind === "command" && this.#suspects.take(delivery, this.#pass))
      return;
    this.#toActor(type, delivery, definition);
  }

  #toActor(type: AnyActorType, delivery: Delivery, definition: AnyMessageDefinition): void {
    const { key } = delivery.envelope;
    const activation = this.#activationOf(type, key);
    activation.deliver(this.#recent === undefined ? delivery : this.#recent.watch(activation, delivery), definition);
    this.#probe?.delivered(delivery.envelope, activation.depth);
  }

  /** Answers a watcher of an actor here, as {@link WatchPolls.poll} does. */
  watch(call: Delivery, seen: Seen | undefined): void {
    const { type, key } = call.envelope;
    if (this.#stopping)
      call.fail(new TroupeError("stopping", `Cannot watch ${type}/${key} as this node is shutting down`));
    else this.#parts.watchers.poll({ type, key }, this.#parts.partitions.of(type, key), call, seen);
  }

  abandon(call: Delivery, reason: TroupeError): void {
    if (call.envelope.origin.kind === "watch") this.#parts.watchers.abandon(call, call.envelope);
    this.#actors.find(call.envelope.type, call.envelope.key)?.abandon(call.envelope, reason);
  }

  /** From now on nothing is taken. */
  stop(): void {
    this.#stopping = true;
  }

  #activationOf(type: AnyActorType, key: string): Activation {
    const found = this.#actors.find(type.type, key);
    if (found !== undefined) {
      this.#actors.touch(found);
      return found;
    }
    const activation = new Activation(
      type,
      { type: type.type, key },
      this.#parts.partitions.of(type.type, key),
      this.#parts.activation,
    );
    this.#actors.add(activation);
    return activation;
  }

  /** Whether it is one of those that come again by themselves, on a node that has taken over from a dead one. */
  #mayBeSuspect({ envelope }: Delivery): boolean {
    return this.#suspects.size > 0 && envelope.since !== undefined;
  }

  /** A turn that runs may wait for this very call: it is let in, or its turn would never end (Dispatcher.I1). */
  #mustWait({ type, key, callers }: Envelope): boolean {
    return callers.length === 0 && this.#closing.has(this.#parts.partitions.of(type, key));
  }
}
