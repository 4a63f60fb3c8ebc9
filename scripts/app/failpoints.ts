/**
 * Named points at which a process ends itself as a power cut would, so that fault runs hit exactly the moments that matter.
 * Where no failpoint is set nothing is wrapped, and nothing is paid.
 */
import type { Sink, Store } from "#runtime";

/**
 * `after-commit`: turns are durable, and nobody was answered or told. `after-publish`: a broker has acknowledged, and no cursor
 * knows of it.
 */
export const FAILPOINTS = ["after-commit", "after-publish"] as const;
export type FailpointName = (typeof FAILPOINTS)[number];

const TEXT = new RegExp(`^(${FAILPOINTS.join("|")}):([1-9][0-9]{0,6})$`);

/** What may be set, for people. */
export const FAILPOINT_FORM = `expected ${FAILPOINTS.join(" or ")} and a count, as in after-commit:100`;

/** One failpoint: the process ends the `nth` time it gets there. */
export interface Failpoint {
  readonly name: FailpointName;
  readonly nth: number;
}

/** Reads `after-commit:100`. @returns `undefined` for anything else. */
export function readFailpoint(text: string): Failpoint | undefined {
  const [, name, nth] = TEXT.exec(text) ?? [];
  const known = FAILPOINTS.find((one) => one === name);
  return known === undefined ? undefined : { name: known, nth: Number(nth) };
}

/** Where a process would end. */
export interface Failpoints {
  /** The store, ending the process after a commit that leaves something for a sink. */
  store(store: Store): Store;
  /** The sink, ending the process after an acknowledgement of something it has sent. */
  sink(sink: Sink): Sink;
}

/**
 * Puts a failpoint in place; without one, everything stays as it is.
 * @param die what ends the process. @default SIGKILL to itself
 */
export function failpoints(failpoint: Failpoint | undefined, die: () => void = killSelf): Failpoints {
  let left = failpoint?.nth ?? 0;
  const pass = (): void => {
    if (--left === 0) die();
  };
  return {
    store: (store) => (failpoint?.name === "after-commit" ? endsAfterCommit(store, pass) : store),
    sink: (sink) => (failpoint?.name === "after-publish" ? endsAfterPublish(sink, pass) : sink),
  };
}

function endsAfterCommit(store: Store, pass: () => void): Store {
  const commit = store.commit.bind(store);
  store.commit = async (node, batch) => {
    await commit(node, batch);
    if (batch.outbox.length > 0) pass();
  };
  return store;
}

function endsAfterPublish(sink: Sink, pass: () => void): Sink {
  return {
    ...sink,
    async publish(records, attempt) {
      const results = await sink.publish(records, attempt);
      if (results.some(({ kind }) => kind === "acked")) pass();
      return results;
    },
  };
}

function killSelf(): void {
  process.kill(process.pid, "SIGKILL");
}
