import type { OutboxRecord, Sink } from "#runtime";

/** A sink whose acknowledgements are seen, and that can be held. */
export interface WatchedSink extends Sink {
  /** What is published from now on waits until it is released. */
  hold(): void;
  release(): void;
}

/** Wraps a sink: `onAcked` gets the records of each `publish` that went through, the moment it did. */
export function watchedSink(sink: Sink, onAcked: (records: readonly OutboxRecord[]) => void): WatchedSink {
  let gate = Promise.withResolvers<void>();
  gate.resolve();
  return {
    name: sink.name,
    accepts: sink.accepts,
    lane: sink.lane,
    async publish(records, attempt) {
      await gate.promise;
      const results = await sink.publish(records, attempt);
      const refused = results.find((result) => result.kind === "refused");
      if (refused?.kind === "refused") throw new Error(`The broker refused an event: ${refused.detail}`);
      onAcked(records);
      return results;
    },
    check: () => sink.check(),
    close: () => sink.close(),
    hold: () => void (gate = Promise.withResolvers<void>()),
    release: () => gate.resolve(),
  };
}
