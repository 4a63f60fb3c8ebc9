import type { GenericSchema, InferOutput } from "valibot";
import type { Duration } from "../base/duration.ts";
import type { Migration } from "./migration.ts";
import type { PoisonOptions } from "./poison-options.ts";
import type { RestartPolicy } from "./restart-policy.ts";
import type { Subscription } from "./subscription.ts";

/** How a journaled actor keeps its state. */
export interface JournalOptions {
  /** Events between two snapshots: loading replays fewer than this many. Default 100. */
  readonly snapshotEvery: number;
}

/** Any `apply` function, its types erased. `null`: the event is no part of the state. */
export type AnyApply =
  | ((
      state: never,
      data: never,
      meta: { readonly key: string; readonly id: string; readonly at: number; readonly seq: number },
    ) => unknown)
  | null;

/** A valibot schema whose parse is synchronous. */
export type Schema = GenericSchema;

/** Event types an actor may emit, by wire name, with the schema of their `data`. */
export type Emits = Readonly<Record<string, Schema>>;

/** Any actor type, its inside erased. What collections of actor types are made of. */
export interface AnyActorType {
  readonly type: string;
  readonly options: {
    readonly key?: GenericSchema<string, string>;
    readonly state: Schema;
    readonly initial: (key: string) => unknown;
    readonly emits?: Emits;
    readonly journal?: true | JournalOptions;
    readonly apply?: Readonly<Record<string, AnyApply>>;
    readonly mailbox?: { readonly max: number };
    readonly idle?: Duration;
    readonly turnLimit?: Duration;
    readonly index?: readonly string[];
    readonly poison?: PoisonOptions;
    readonly subscribe?: Readonly<Record<string, Subscription>>;
    readonly restart?: RestartPolicy;
    readonly version?: number;
    readonly migrate?: Readonly<Record<number, Migration>>;
    onCreate?(c: never, key: string): void | Promise<void>;
    onActivate?(c: never): void | Promise<void>;
    onPassivate?(c: never): void | Promise<void>;
  };
  readonly messages: Readonly<Record<string, AnyMessageDefinition>>;
  readonly sockets?: AnySockets | undefined;
}

/** The sockets of a type, their types erased. */
export interface AnySockets {
  readonly in?: Schema | undefined;
  readonly out?: Schema | undefined;
  readonly with?: Schema | undefined;
  readonly state?: Schema | undefined;
  initial?(): unknown;
  onConnect?(c: never, socket: never, data: never): void | Promise<void>;
  onMessage(c: never, socket: never, data: never): void | Promise<void>;
  onClose?(c: never, socket: never): void | Promise<void>;
}

/** Any message, its types erased to the ones the runtime itself uses. */
export interface AnyMessageDefinition {
  readonly kind: "command" | "query";
  readonly in: Schema | undefined;
  readonly out: Schema | undefined;
  readonly refuses?: readonly string[] | undefined;
  handle(c: never, input: never): unknown;
}

/** The state of an actor type, as the store gives it back. */
export type StateOutput<A extends AnyActorType> = InferOutput<A["options"]["state"]>;

/** Any message of a stateless worker, its types erased. */
export interface AnyWorkDefinition {
  readonly kind: "work";
  readonly in: Schema | undefined;
  readonly out: Schema | undefined;
  readonly refuses?: readonly string[] | undefined;
  handle(c: never, input: never): unknown;
}

/** Any stateless worker, its inside erased. Made by `statelessWorker`. */
export interface AnyWorkerType {
  readonly type: string;
  readonly options: {
    readonly copies?: number;
    readonly mailbox?: { readonly max: number };
    readonly turnLimit?: Duration;
  };
  readonly messages: Readonly<Record<string, AnyWorkDefinition>>;
}
