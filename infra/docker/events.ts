import type { Readable } from "node:stream";
import { pause } from "../base/pause.ts";
import type { EngineEvent } from "../engines/engine.ts";
import type { Identity } from "../engines/identity.ts";
import { jsonLines } from "./json-lines.ts";

/** What {@link followEvents} needs of an engine. */
export interface EventSource {
  /** Who a container is by its labels; `undefined`: not ours. */
  readonly identityOf: (labels: Readonly<Record<string, string>> | undefined) => Identity | undefined;
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
        const event = toEvent(source.identityOf, message);
        if (event) yield event;
      }
      stream.destroy();
      if (!source.signal.aborted) yield { kind: "lost" };
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

function toEvent(identityOf: EventSource["identityOf"], message: EventMessage): EngineEvent | undefined {
  const identity = identityOf(message.Actor?.Attributes);
  if (!identity || !message.Action || !message.Actor?.ID) return undefined;
  return { kind: "container", action: message.Action, containerId: message.Actor.ID, identity };
}
