import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from "@nats-io/jetstream";
import { withSubjects } from "./subject-sets.ts";
import { EVENT_SUBJECT_PREFIX } from "./subjects.ts";

const NANOS_PER_MS = 1_000_000;
const STREAM_NOT_FOUND = 10059;
const STREAM_NAME_IN_USE = 10058;

/** What the event stream is like. Limits that are left out keep what the stream has; others are raised, never lowered. */
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
 * existing stream keeps its subjects, and limits that are wider than those named here. Resolves with whether the server takes atomic batches (≥ 2.12 does).
 */
export async function ensureEventStream(
  manager: JetStreamManager,
  options: EventStreamOptions = {},
): Promise<{ readonly atomic: boolean }> {
  const name = options.stream ?? "EVENTS";
  const info = (await find(manager, name)) ?? (await create(manager, name, options));
  const changes = additions(info.config, wanted(options));
  const current = changes === undefined ? info : await manager.streams.update(name, { ...info.config, ...changes });
  return { atomic: current.config.allow_atomic === true };
}

type Wanted = Partial<Pick<StreamConfig, "subjects" | "allow_atomic" | "duplicate_window" | "max_age" | "max_bytes">>;

function wanted(options: EventStreamOptions): Wanted & { readonly subjects: string[] } {
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

/**
 * What has to be added to a stream; `undefined` when nothing has: then nothing is written. An operator's own subjects stay,
 * and his limits and windows are only ever raised. A server before 2.12 drops `allow_atomic`.
 */
function additions(has: StreamConfig, wants: ReturnType<typeof wanted>): Wanted | undefined {
  // Mirrors and sealed streams take no changes.
  if (has.sealed || has.mirror !== undefined) return undefined;
  const added: Wanted = {};
  const subjects = withSubjects(has.subjects, wants.subjects);
  if (subjects.join() !== has.subjects.join()) added.subjects = subjects;
  if (has.allow_atomic !== true) added.allow_atomic = true;
  const age = raised(has.max_age, wants.max_age, 0);
  const bytes = raised(has.max_bytes, wants.max_bytes, -1);
  if (age !== undefined) added.max_age = age;
  if (bytes !== undefined) added.max_bytes = bytes;
  // The server takes no window that is longer than what it keeps.
  const longest = age ?? (has.max_age === 0 ? Number.POSITIVE_INFINITY : has.max_age);
  const window = Math.min(wants.duplicate_window ?? 0, longest);
  if (window > has.duplicate_window) added.duplicate_window = window;
  return Object.keys(added).length === 0 ? undefined : added;
}

/** A limit that is to be set, where the one that is there is tighter. `none` means that there is no limit. */
function raised(has: number, wants: number | undefined, none: number): number | undefined {
  if (wants === undefined || has === none) return undefined;
  return wants === none || wants > has ? wants : undefined;
}
