import type { Readable } from "node:stream";
import { pause } from "../pause.ts";
import { jsonLines } from "./json-lines.ts";
import { identityOf } from "./labels.ts";
import type { Identity } from "./labels.ts";

/**
 * What the engine tells about our containers. `resync` comes first and after every gap: events may have been missed,
 * look at the world again.
 */
export type EngineEvent =
  | { readonly kind: "resync" }
  | {
      readonly kind: "container";
      /** As in `create`, `start`, `die`, `destroy`. */
      readonly action: string;
      readonly containerId: string;
      readonly identity: Identity;
    };

/** What {@link followEvents} needs of an engine. */
export interface EventSource {
  readonly cluster: string;
  readonly signal: AbortSignal;
  /** Opens a stream of JSON lines, from `since` (seconds since the epoch) on where given. */
  open(since: number | undefined, signal: AbortSignal): Promise<NodeJS.ReadableStream>;
}

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Follows the engine's events until the signal is aborted. A stream that ends (the engine restarts) is opened again
 * from the last event seen, after a pause that grows from 100 ms to 5 s, and begins with a `resync`. Events may repeat.
 */
export async function* followEvents(source: EventSource): AsyncGenerator<EngineEvent> {
  let since: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  while (!source.signal.aborted) {
    const stream = (await source.open(since, source.signal).catch(() => undefined)) as Readable | undefined;
    if (stream) {
      pauseMs = FIRST_PAUSE_MS;
      yield { kind: "resync" };
      for await (const line of jsonLines(stream, source.signal)) {
        const message = line as EventMessage;
        since = sinceOf(message) ?? since;
        const event = toEvent(source.cluster, message);
        if (event) yield event;
      }
      stream.destroy();
    }
    await pause(pauseMs, source.signal);
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

interface EventMessage {
  readonly Action?: string;
  readonly timeNano?: number;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

function sinceOf(message: EventMessage): number | undefined {
  return message.timeNano === undefined ? undefined : Math.floor(message.timeNano / 1e9);
}

function toEvent(cluster: string, message: EventMessage): EngineEvent | undefined {
  const identity = identityOf(cluster, message.Actor?.Attributes);
  if (!identity || !message.Action || !message.Actor?.ID) return undefined;
  return { kind: "container", action: message.Action, containerId: message.Actor.ID, identity };
}
