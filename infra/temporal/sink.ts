/**
 * The Temporal sink: starts and signals workflows that actors asked for.
 *
 * T1 A start happens once for ever: the workflow id is its key, and an id that was ever used is not started again
 *    (within the namespace's retention). `signalWithStart` may start an ended workflow anew.
 * T2 A repeat after a lost answer does nothing: the record's id is the request id, by which the server knows it.
 * T3 A signal to a workflow that has completed is dropped: nobody waits for it any more. One to a workflow that is not there, or
 *    ended in any other way, is refused: the dead letter can be replayed once there is a run again.
 * T4 What will never be taken (`INVALID_ARGUMENT`) is refused; everything else is thrown, and the relay tries again.
 */
import { WorkflowNotFoundError } from "@temporalio/client";
import type { Log, OutboxRecord, PublishResult, Sink, WorkflowRequest } from "#runtime";
import type { Temporal } from "./connection.ts";
import { GRPC, grpcStatus, isNamespaceMissing } from "./grpc-errors.ts";
import { headerOf, toKeywords, toPayloadMap, toPayloads } from "./payloads.ts";
import { ensureKeywords } from "./search-attributes.ts";

const IDENTITY = "troupe";
/** `WorkflowIdReusePolicy` and `WorkflowIdConflictPolicy` of Temporal's API, by number. */
const ALLOW_DUPLICATE = 1;
const REJECT_DUPLICATE = 3;
const USE_EXISTING = 2;
const ACKED: PublishResult = { kind: "acked" };

/** What {@link temporalSink} is given. */
export interface TemporalSinkOptions {
  readonly temporal: Temporal;
  /** Keyword search attributes that starts carry; registered before the first one. */
  readonly keywords?: readonly string[];
  /** Put before every task queue's name, after the prefix of the connection. Default: nothing. */
  readonly queuePrefix?: string;
  readonly log: Log;
}

/** A sink named `temporal` for the `workflow` records of the outbox. Up to 32 at once, one at a time per workflow id. */
export function temporalSink({ temporal, keywords = [], queuePrefix = "", log }: TemporalSinkOptions): Sink {
  const { client, namespace, codec, prefix } = temporal;
  const service = client.workflowService;
  let prepared: Promise<void> | undefined;

  /** Registers the search attributes; tried again by the next record when it fails. */
  function prepare(): Promise<void> {
    prepared ??= ensureKeywords(temporal, keywords).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    return prepared;
  }

  async function send(record: OutboxRecord): Promise<void> {
    const { start, signal } = JSON.parse(record.body) as WorkflowRequest;
    const workflowId = prefix + record.target;
    const common = { namespace, identity: IDENTITY, requestId: record.id, ...headerOf(record) };
    const signalling = signal && { signalName: signal.name };
    if (!start) {
      if (!signal) throw new TypeError(`Cannot publish the record ${record.id}: it holds neither a start nor a signal`);
      const input = await toPayloads(signal.args, codec);
      await service.signalWorkflowExecution({ ...common, ...signalling, input, workflowExecution: { workflowId } });
      return;
    }
    const queue = prefix + queuePrefix + start.taskQueue;
    const starting = {
      ...common,
      workflowId,
      workflowType: { name: start.type },
      taskQueue: { name: queue },
      input: await toPayloads(start.args, codec),
      ...(start.memo && { memo: { fields: await toPayloadMap(start.memo, codec) } }),
      ...(start.searchAttributes && { searchAttributes: { indexedFields: toKeywords(start.searchAttributes) } }),
    };
    if (!signal) {
      const once = { ...starting, workflowIdReusePolicy: REJECT_DUPLICATE }; // TemporalSink.T1
      await temporal.starting(queue, (by, isEager) =>
        by.startWorkflowExecution({ ...once, requestEagerExecution: isEager }),
      );
      return;
    }
    await service.signalWithStartWorkflowExecution({
      ...starting,
      ...signalling,
      signalInput: await toPayloads(signal.args, codec),
      workflowIdReusePolicy: ALLOW_DUPLICATE,
      workflowIdConflictPolicy: USE_EXISTING,
    });
  }

  /** What becomes of a signal for which there is no open run. */
  async function missed({ id, target }: OutboxRecord): Promise<PublishResult> {
    const status = await statusOf(target);
    if (status === "RUNNING") throw new Error(`Cannot signal ${target} yet: its next run has only begun`);
    if (status !== "COMPLETED")
      return {
        kind: "refused",
        detail: `There is no run that could take the signal: ${target} is ${status ?? "not there"}`,
      };
    log("debug", "temporal:signal:dropped", { workflowId: target, recordId: id });
    return ACKED;
  }

  /** How the newest run of a workflow stands; `undefined` where there is none. */
  async function statusOf(workflowId: string): Promise<string | undefined> {
    try {
      const run = await temporal.call(() => client.workflow.getHandle(prefix + workflowId).describe());
      return run.status.name;
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    }
  }

  async function publish(record: OutboxRecord): Promise<PublishResult> {
    try {
      if (keywords.length > 0 && record.name !== "signal") await prepare();
      await temporal.call(() => send(record));
      return ACKED;
    } catch (error) {
      const status = grpcStatus(error);
      if (status?.code === GRPC.alreadyExists) return ACKED; // TemporalSink.T1, TemporalSink.T2
      if (status?.code === GRPC.notFound && record.name === "signal" && !isNamespaceMissing(status.details)) {
        return await missed(record); // TemporalSink.T3
      }
      if (status?.code === GRPC.invalidArgument && /search attribute/i.test(status.details)) {
        prepared = undefined; // a new search attribute is not known everywhere at once, or somebody removed it
        throw error;
      }
      if (status?.code === GRPC.invalidArgument) return { kind: "refused", detail: status.details }; // TemporalSink.T4
      if (error instanceof SyntaxError || error instanceof TypeError) return { kind: "refused", detail: error.message };
      throw error;
    }
  }

  return {
    name: "temporal",
    accepts: "workflow",
    lane: { kind: "keyed", maxInFlight: 32 },
    publish: async (records) => {
      const results: PublishResult[] = [];
      for (const record of records) results.push(await publish(record));
      return results;
    },
    check: () => temporal.check(),
    close: () => temporal.close(),
  };
}
