import { defaultPayloadConverter } from "@temporalio/common";
import type { ActivityInterceptorsFactory, InjectedSinks } from "@temporalio/worker";
import type { Otel } from "#infra/otel/otel.ts";
import { isRecorded } from "#runtime";
import type { TraceSinks } from "./trace-interceptors.ts";

/** Where runs tell of their end. Without tracing that is heard by nobody. */
export function traceSinks(tracing: Otel | undefined): InjectedSinks<TraceSinks> {
  return {
    trace: {
      ended: {
        callDuringReplay: false,
        fn(_info, { name, workflowId, ...span }) {
          tracing?.record({
            ...span,
            name: `RunWorkflow ${name}`,
            kind: "server",
            attributes: { "rpc.system.name": "temporal", "rpc.method": name, "troupe.workflow.id": workflowId },
          });
        },
      },
    },
  };
}

/**
 * Runs each activity within the trace that its workflow handed to it: a span of its own, which whatever it calls is part
 * of.
 */
export function traceActivities(tracing: Otel): ActivityInterceptorsFactory {
  return ({ info }) => ({
    inbound: {
      async execute(input, next) {
        const payload = input.headers["traceparent"];
        const parent = payload === undefined ? undefined : defaultPayloadConverter.fromPayload<string>(payload);
        if (parent === undefined) return await next(input);
        if (!isRecorded(parent)) return await tracing.within(parent, () => next(input));
        const { activityType, attempt, taskQueue, workflowExecution } = info;
        const span = tracing.begin({
          name: `RunActivity ${activityType}`,
          kind: "server",
          parent,
          attributes: {
            "rpc.system.name": "temporal",
            "rpc.method": activityType,
            "troupe.workflow.id": workflowExecution?.workflowId ?? "",
            "troupe.task_queue": taskQueue,
            "troupe.message.attempt": attempt,
          },
        });
        try {
          const result = await tracing.within(span.traceparent, () => next(input));
          span.end();
          return result;
        } catch (error) {
          span.end(error);
          throw error;
        }
      },
    },
  });
}
