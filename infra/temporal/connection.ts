import { Client, Connection, type WorkflowService } from "@temporalio/client";
import type { PayloadCodec } from "@temporalio/common";
import { EagerStarts } from "./eager-starts.ts";
import { securityOptions, type TemporalSecurity } from "./security.ts";
import { traceHeaders } from "./trace-headers.ts";

/** Where Temporal is. */
export interface TemporalOptions {
  /** `host:port` of the frontend, as in `127.0.0.1:7233`. */
  readonly address: string;
  /** Default `"default"`. */
  readonly namespace?: string;
  /** TLS, and who we are. Default: neither. Workers need the same. */
  readonly security?: TemporalSecurity | undefined;
  /** How long one call may take, in milliseconds. Default 5,000. */
  readonly deadlineMs?: number;
  /**
   * Put before the names of task queues and the ids of workflows, so that several systems share a namespace: `blue.`.
   * Default: nothing.
   */
  readonly prefix?: string;
  /** Seals what is stored there. Default: nothing is sealed. Workers of the same namespace need the same one. */
  readonly codec?: PayloadCodec;
}

/** A connection to Temporal that opens when it is first used, and opens again by itself. */
export interface Temporal {
  readonly client: Client;
  readonly namespace: string;
  readonly address: string;
  /** What stands before every name of ours there. Nobody but this folder and the client of workflows sees an id with it. */
  readonly prefix: string;
  readonly security: TemporalSecurity | undefined;
  /** What seals payloads on their way there, and opens them on their way back; `undefined`: nobody does. */
  readonly codec: PayloadCodec | undefined;
  /** Runs calls under the connection's deadline: they fail with `DEADLINE_EXCEEDED` instead of hanging. */
  call<T>(calls: () => Promise<T>): Promise<T>;
  /** Told of the workers of this process: see {@link Temporal.starting}. */
  readonly eager: EagerStarts;
  /**
   * As `call`, for the start of a workflow on a task queue, by its full name. `isEager`: the service is that of a worker of the queue
   * in this process, and a start that asks for it may bring its first task along.
   */
  starting<T>(taskQueue: string, start: (service: WorkflowService, isEager: boolean) => Promise<T>): Promise<T>;
  /** Resolves when the namespace answers. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** Connects to Temporal. Never waits and never fails: a server that is away shows in the calls. */
export function temporalConnection({
  address,
  namespace = "default",
  security,
  deadlineMs = 5_000,
  prefix = "",
  codec,
}: TemporalOptions): Temporal {
  const connection = Connection.lazy({
    address,
    ...securityOptions(security),
    connectTimeout: deadlineMs,
    // gRPC's own pauses between tries grow to two minutes: a restarted server would be found that late.
    channelArgs: { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 1_000 },
  });
  const client = new Client({
    connection,
    namespace,
    interceptors: { workflow: [traceHeaders] },
    dataConverter: { payloadCodecs: codec === undefined ? [] : [codec] },
  });
  const call = <T>(calls: () => Promise<T>): Promise<T> => connection.withDeadline(Date.now() + deadlineMs, calls);
  const eager = new EagerStarts();
  return {
    client,
    namespace,
    address,
    prefix,
    security,
    codec,
    call,
    eager,
    starting(taskQueue, start) {
      const link = eager.of(taskQueue);
      if (link === undefined) return call(() => start(connection.workflowService, false));
      return link.withDeadline(Date.now() + deadlineMs, () => start(link.workflowService, true));
    },
    async check() {
      await call(() => connection.workflowService.describeNamespace({ namespace }));
    },
    close: () => connection.close(),
  };
}
