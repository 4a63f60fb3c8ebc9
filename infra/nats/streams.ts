import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { EVENT_SUBJECT_PREFIX } from "./subjects.ts";

const NANOS_PER_MS = 1_000_000;
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;

/** What the event stream is like. Limits that are left out keep what the stream has. */
export interface EventStreamOptions {
  /** @default "EVENTS" */
  readonly stream?: string;
  /** The stream takes `<prefix>.>`. @default "evt" */
  readonly subjectPrefix?: string;
  /** How long a repeat of an id is recognised, in milliseconds. @default 120_000 */
  readonly dedupeWindowMs?: number;
  /** Older events go. @default 7 days, when the stream is made */
  readonly maxAgeMs?: number;
  /** Oldest events go first. @default unlimited, when the stream is made */
  readonly maxBytes?: number;
  /** Copies in a NATS cluster, when the stream is made. @default 1 */
  readonly replicas?: number;
}

/**
 * The stream exists afterwards, on disk, with atomic batches allowed; several processes may call it at once. An
 * existing stream keeps what this does not name. Resolves with whether the server takes atomic batches (≥ 2.12 does).
 */
export async function ensureEventStream(
  manager: JetStreamManager,
  options: EventStreamOptions = {},
): Promise<{ readonly atomic: boolean }> {
  const name = options.stream ?? "EVENTS";
  const info = (await find(manager, name)) ?? (await create(manager, name, options));
  const changes = differences(info.config, wanted(options));
  const current = changes === undefined ? info : await manager.streams.update(name, { ...info.config, ...changes });
  return { atomic: current.config.allow_atomic === true };
}

type Wanted = Partial<Pick<StreamConfig, "subjects" | "allow_atomic" | "duplicate_window" | "max_age" | "max_bytes">>;

function wanted(options: EventStreamOptions): Wanted {
  return {
    subjects: [`${options.subjectPrefix ?? EVENT_SUBJECT_PREFIX}.>`],
    allow_atomic: true,
    duplicate_window: (options.dedupeWindowMs ?? 120_000) * NANOS_PER_MS,
    ...(options.maxAgeMs === undefined ? {} : { max_age: options.maxAgeMs * NANOS_PER_MS }),
    ...(options.maxBytes === undefined ? {} : { max_bytes: options.maxBytes }),
  };
}

async function find(manager: JetStreamManager, name: string): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === STREAM_NOT_FOUND) return undefined;
    throw error;
  }
}

async function create(manager: JetStreamManager, name: string, options: EventStreamOptions): Promise<StreamInfo> {
  try {
    return await manager.streams.add({
      name,
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      num_replicas: options.replicas ?? 1,
      max_age: 7 * 24 * 3_600_000 * NANOS_PER_MS,
      ...wanted(options),
    });
  } catch (error) {
    // Another process was faster, with other options.
    if (error instanceof JetStreamApiError && error.code === STREAM_NAME_IN_USE) return manager.streams.info(name);
    throw error;
  }
}

/** `undefined` when all is as wanted: then nothing is written. A server before 2.12 drops `allow_atomic`. */
function differences(has: StreamConfig, wants: Wanted): Wanted | undefined {
  const same =
    wants.subjects?.join() === has.subjects?.join() &&
    has.allow_atomic === true &&
    wants.duplicate_window === has.duplicate_window &&
    (wants.max_age === undefined || wants.max_age === has.max_age) &&
    (wants.max_bytes === undefined || wants.max_bytes === has.max_bytes);
  return same ? undefined : wants;
}
