import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import type { temporal } from "@temporalio/proto";
import type { Temporal } from "#infra/temporal/connection.ts";
import { idThere } from "#infra/temporal/workflow-id.ts";

type Event = temporal.api.history.v1.IHistoryEvent;
type Failure = temporal.api.failure.v1.IFailure | null | undefined;
type Payloads = temporal.api.common.v1.IPayloads | null | undefined;

/** One thing that a run did, was told, or waited for. */
export interface RunStep {
  /** RFC 3339. */
  readonly at: string;
  readonly kind: "started" | "activity" | "wait" | "signal" | "update" | "ended";
  /** Of the activity, signal or update, as in `tryDelivery`; of an end its status, as in `COMPLETED`. */
  readonly name: string;
  readonly status: "done" | "failed" | "under_way" | "cut_short";
  readonly attempt: number;
  /** `null`: it is under way, or takes no time. */
  readonly tookMs: number | null;
  /** Why it failed. */
  readonly failure: string | null;
  /** Of a start, signal or update its input; of an activity or an end its result; of a wait how long it was to be, in milliseconds. */
  readonly value: unknown;
}

/** What a run did, the oldest first. */
export interface RunSteps {
  readonly runId: string;
  readonly steps: readonly RunStep[];
  /** Steps before these that are left out. */
  readonly earlier: number;
}

const PAGE = 1_000;
/** A run that has more begins anew long before. */
const MAX_PAGES = 20;
const MAX_STEPS = 500;
/** Characters of a value that are told; a longer one is `null`. */
const MAX_VALUE = 20_000;
const LOCAL = "core_local_activity";

/** The steps of the newest run of a workflow id, from its history. */
export async function stepsOfRun(temporal: Temporal, workflowId: string): Promise<RunSteps> {
  const { client, namespace, codec } = temporal;
  const execution = { workflowId: idThere(temporal, workflowId) };
  const { workflowExecutionInfo } = await client.workflowService.describeWorkflowExecution({ namespace, execution });
  const runId = workflowExecutionInfo?.execution?.runId ?? "";
  const events: Event[] = [];
  let nextPageToken: Uint8Array | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const read = await client.workflowService.getWorkflowExecutionHistory({
      ...{ namespace, execution: { ...execution, runId }, maximumPageSize: PAGE },
      ...(nextPageToken && { nextPageToken }),
    });
    events.push(...(read.history?.events ?? []));
    nextPageToken = read.nextPageToken?.length ? read.nextPageToken : undefined;
    if (nextPageToken === undefined) break;
  }
  const open = async (payload: Payload): Promise<Payload> =>
    codec === undefined ? payload : ((await codec.decode([payload]))[0] ?? payload);
  const steps = await stepsOf(events, open);
  return { runId, steps: steps.slice(-MAX_STEPS), earlier: Math.max(0, steps.length - MAX_STEPS) };
}

/** The steps that a history tells of. `open` opens a sealed payload. */
export async function stepsOf(
  events: readonly Event[],
  open: (payload: Payload) => Promise<Payload> = async (payload) => payload,
): Promise<readonly RunStep[]> {
  const steps: RunStep[] = [];
  /** Where in `steps` what is under way stands, by the event that began it. */
  const begun = new Map<string, number>();
  const value = (payloads: Payloads) => valueOf(payloads?.payloads?.[0], open);

  const add = (event: Event, step: Omit<RunStep, "at" | "attempt" | "tookMs" | "failure"> & Partial<RunStep>): void => {
    begun.set(String(event.eventId), steps.length);
    steps.push({ at: timeOf(event), attempt: 1, tookMs: null, failure: null, ...step });
  };
  const change = (id: unknown, event: Event | undefined, more: Partial<RunStep>): void => {
    const at = begun.get(String(id));
    const step = at === undefined ? undefined : steps[at];
    if (at === undefined || step === undefined) return;
    const tookMs = event === undefined ? step.tookMs : Date.parse(timeOf(event)) - Date.parse(step.at);
    steps[at] = { ...step, tookMs, ...more };
  };
  const end = async (event: Event, name: string, more: Partial<RunStep> = {}): Promise<void> =>
    add(event, { kind: "ended", name, status: "done", value: null, ...more });

  for (const e of events) {
    if (e.workflowExecutionStartedEventAttributes) {
      const { workflowType, input } = e.workflowExecutionStartedEventAttributes;
      add(e, { kind: "started", name: workflowType?.name ?? "", status: "done", value: await value(input) });
    } else if (e.workflowExecutionSignaledEventAttributes) {
      const { signalName, input } = e.workflowExecutionSignaledEventAttributes;
      add(e, { kind: "signal", name: signalName ?? "", status: "done", value: await value(input) });
    } else if (e.workflowExecutionUpdateAcceptedEventAttributes) {
      const { input } = e.workflowExecutionUpdateAcceptedEventAttributes.acceptedRequest ?? {};
      add(e, { kind: "update", name: input?.name ?? "", status: "done", value: await value(input?.args) });
    } else if (e.timerStartedEventAttributes) {
      const ms = millisOf(e.timerStartedEventAttributes.startToFireTimeout);
      add(e, { kind: "wait", name: "wait", status: "under_way", value: ms });
    } else if (e.timerFiredEventAttributes) {
      change(e.timerFiredEventAttributes.startedEventId, e, { status: "done" });
    } else if (e.timerCanceledEventAttributes) {
      change(e.timerCanceledEventAttributes.startedEventId, e, { status: "cut_short" });
    } else if (e.activityTaskScheduledEventAttributes) {
      const name = e.activityTaskScheduledEventAttributes.activityType?.name ?? "";
      add(e, { kind: "activity", name, status: "under_way", value: null });
    } else if (e.activityTaskStartedEventAttributes) {
      const { scheduledEventId, attempt } = e.activityTaskStartedEventAttributes;
      change(scheduledEventId, undefined, { attempt: attempt ?? 1 });
    } else if (e.activityTaskCompletedEventAttributes) {
      const { scheduledEventId, result } = e.activityTaskCompletedEventAttributes;
      change(scheduledEventId, e, { status: "done", value: await value(result) });
    } else if (e.activityTaskFailedEventAttributes) {
      const { scheduledEventId, failure } = e.activityTaskFailedEventAttributes;
      change(scheduledEventId, e, { status: "failed", failure: whyOf(failure) });
    } else if (e.activityTaskTimedOutEventAttributes) {
      const { scheduledEventId, failure } = e.activityTaskTimedOutEventAttributes;
      change(scheduledEventId, e, { status: "failed", failure: whyOf(failure) });
    } else if (e.activityTaskCanceledEventAttributes) {
      change(e.activityTaskCanceledEventAttributes.scheduledEventId, e, { status: "cut_short" });
    } else if (e.markerRecordedEventAttributes?.markerName === LOCAL) {
      const { details, failure } = e.markerRecordedEventAttributes;
      const told = (await value(details?.["data"])) as LocalActivity | null;
      add(e, {
        ...{ kind: "activity", name: told?.activity_type ?? "", attempt: told?.attempt ?? 1 },
        ...(told === null ? {} : timesOf(told, e)),
        ...(failure ? { status: "failed", failure: whyOf(failure) } : { status: "done" }),
        value: await value(details?.["result"]),
      });
    } else if (e.workflowExecutionCompletedEventAttributes)
      await end(e, "COMPLETED", { value: await value(e.workflowExecutionCompletedEventAttributes.result) });
    else if (e.workflowExecutionFailedEventAttributes) {
      const failure = whyOf(e.workflowExecutionFailedEventAttributes.failure);
      await end(e, "FAILED", { status: "failed", failure });
    } else if (e.workflowExecutionTimedOutEventAttributes) await end(e, "TIMED_OUT", { status: "failed" });
    else if (e.workflowExecutionCanceledEventAttributes) await end(e, "CANCELED", { status: "cut_short" });
    else if (e.workflowExecutionTerminatedEventAttributes) {
      const { reason } = e.workflowExecutionTerminatedEventAttributes;
      await end(e, "TERMINATED", { status: "failed", failure: reason || null });
    } else if (e.workflowExecutionContinuedAsNewEventAttributes) await end(e, "CONTINUED_AS_NEW");
  }
  return steps;
}

/** What the SDK keeps of a local activity. */
interface LocalActivity {
  readonly activity_type: string;
  readonly attempt: number;
  readonly complete_time: Timestamp | null;
  readonly original_schedule_time: Timestamp | null;
}
interface Timestamp {
  readonly seconds: number;
  readonly nanos: number;
}

/** It was done before the event tells of it: at the end of the workflow's task. */
function timesOf({ complete_time: completed }: LocalActivity, event: Event): Partial<RunStep> {
  if (completed === null) return {};
  const at = Math.min(millisOf(completed), Date.parse(timeOf(event)));
  return { at: new Date(at).toISOString() };
}

function timeOf({ eventTime }: Event): string {
  return new Date(millisOf(eventTime)).toISOString();
}

/** Seconds are a `Long` or a number, by where the history was read from. */
function millisOf(time: { readonly seconds?: unknown; readonly nanos?: number | null } | null | undefined): number {
  return Math.round(Number(String(time?.seconds ?? 0)) * 1_000 + (time?.nanos ?? 0) / 1e6);
}

/** What failed at the bottom: a failure of an activity says no more than that it failed. */
function whyOf(failure: Failure): string | null {
  let cause = failure;
  while (cause?.cause) cause = cause.cause;
  return cause?.message || null;
}

async function valueOf(
  payload: temporal.api.common.v1.IPayload | null | undefined,
  open: (payload: Payload) => Promise<Payload>,
): Promise<unknown> {
  if (!payload) return null;
  const value: unknown = defaultPayloadConverter.fromPayload(await open(payload as Payload)) ?? null;
  return JSON.stringify(value).length > MAX_VALUE ? null : value;
}
