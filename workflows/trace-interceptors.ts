/**
 * Carries the trace through a workflow: from whoever started or signalled it to the activities it runs.
 *
 * Runs in the workflow's sandbox, and in every replay: all that it does follows from the history. The span of a run is told
 * when it ends; its id is made of the run's, so that each worker which has the run, one after the other, knows it before.
 */
import {
  defaultPayloadConverter,
  type Headers,
  isCancellation,
  proxySinks,
  type Sinks,
  workflowInfo,
  type WorkflowInterceptorsFactory,
} from "@temporalio/workflow";

/** What is told of a run that has ended. */
export interface EndedRun {
  readonly name: string;
  readonly workflowId: string;
  /** What the run is part of. */
  readonly parent: string;
  readonly spanId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure: string | undefined;
}

/** Where runs tell of their end: given to the worker. */
export interface TraceSinks extends Sinks {
  trace: { ended(run: EndedRun): void };
}

/** The header that carries a `traceparent`. */
const HEADER = "traceparent";
const RECORDED = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f][13579bdf]$/;

const { trace } = proxySinks<TraceSinks>();

/** Loaded by the worker with the workflows' bundle. */
export const interceptors: WorkflowInterceptorsFactory = () => {
  /** What activities are part of: the run, or the signal or update that came last. */
  let current: string | undefined;

  return {
    inbound: [
      {
        async execute(input, next) {
          const parent = readTrace(input.headers);
          if (parent === undefined) return await next(input);
          const { runId, workflowType: name, workflowId, runStartTime } = workflowInfo();
          const spanId = runId.replaceAll("-", "").slice(-16);
          current = `${parent.slice(0, 36)}${spanId}${parent.slice(52)}`;
          const startedAt = runStartTime.getTime();
          const ended = (failure?: string): void => {
            if (!RECORDED.test(parent)) return;
            trace.ended({ name, workflowId, parent, spanId, startedAt, endedAt: Date.now(), failure });
          };
          try {
            const result = await next(input);
            ended();
            return result;
          } catch (error) {
            ended(failureOf(error));
            throw error;
          }
        },
        async handleSignal(input, next) {
          current = readTrace(input.headers) ?? current;
          await next(input);
        },
        async handleUpdate(input, next) {
          current = readTrace(input.headers) ?? current;
          return await next(input);
        },
      },
    ],
    outbound: [
      {
        scheduleActivity: (input, next) => next(traced(input, current)),
        scheduleLocalActivity: (input, next) => next(traced(input, current)),
        startChildWorkflowExecution: (input, next) => next(traced(input, current)),
        signalWorkflow: (input, next) => next(traced(input, current)),
        continueAsNew: (input, next) => next(traced(input, current)),
      },
    ],
  };
};

function readTrace(headers: Headers): string | undefined {
  const payload = headers[HEADER];
  return payload === undefined ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
}

function traced<I extends { readonly headers: Headers }>(input: I, traceparent: string | undefined): I {
  if (traceparent === undefined) return input;
  return { ...input, headers: { ...input.headers, [HEADER]: defaultPayloadConverter.toPayload(traceparent) } };
}

/** A run that goes on as another one has not failed. */
function failureOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || error.name === "ContinueAsNew") return undefined;
  return isCancellation(error) ? "cancelled" : error.message;
}
