/** Every statement of a store, as the runtime has them run: for tests of what each reads in a store that has grown. */
import { type ActorId, type CommitBatch, partitionOf, type Store } from "#runtime";

/** Who holds the partitions. */
export const NODE = "node-1";

const ACTOR: ActorId = { type: "account", key: "one" };
/** As many as are loaded at once. */
const MANY: readonly ActorId[] = Array.from({ length: 200 }, (_, i) => ({ type: "account", key: `k${i * 5}` }));
const PARTITION = partitionOf(ACTOR.type, ACTOR.key);
const FILTERS = [
  {},
  { reason: "poison" },
  { type: "account" },
  { reason: "poison", type: "account" },
  { key: "k7" },
  { key: "k7", reason: "poison", type: "account", from: 1 },
  { from: 10, before: 20 },
] as const;
const EVERY_PARTITION = Array.from({ length: 64 }, (_, partition) => partition);
/** Later than what is due: all of it counts. */
const NEVER = 2_000_000_000;

/** A batch with a row of each kind. */
function batch(time: number, epoch: number): CommitBatch {
  const of = { ...ACTOR, partition: PARTITION };
  const seq = 1_000_000_000 + time;
  return {
    fences: [{ partition: PARTITION, epoch, lastSeq: seq }],
    states: [
      { ...of, version: time, state: "{}" },
      { ...of, key: `gone${time}`, version: time, state: undefined },
      { ...of, key: `s${time}`, version: time, state: "{}", schemaVersion: 2 },
      ...MANY.map(({ type, key }) => ({ ...of, type, key: `${key}-${time}`, version: time, state: "{}" })),
    ],
    replies: [{ ...of, id: `r${seq}`, hash: "h", reply: "1", at: seq }],
    outbox: [
      {
        partition: PARTITION,
        seq,
        kind: "event",
        id: `evt_${seq}`,
        name: "x",
        actor: ACTOR,
        target: ACTOR.key,
        body: "1",
        at: seq,
        traceparent: undefined,
      },
    ],
    timers: [
      { ...of, name: `set${time}`, dueAt: seq, message: "add", input: undefined },
      { ...of, name: `unset${time}`, dueAt: undefined },
    ],
    index: [
      { ...of, field: "n", value: `v${time}` },
      { ...of, field: "m", value: undefined },
    ],
    journal: [{ ...of, seq, position: seq, id: `e${seq}`, name: "x", data: "1", at: seq, traceparent: undefined }],
    pauses: [
      { ...of, key: `p${time}`, since: 1, reason: "" },
      { ...of, key: `q${time}`, since: undefined },
    ],
  };
}

/**
 * Calls every method of the store, as the runtime does; reads are of a few rows.
 *
 * @param time how often this was done before: the store's partitions were acquired by {@link NODE}, once, and nobody else has settled.
 * @param rows how many timers there are, due at 1 to as many.
 */
export async function everyStatement(store: Store, time: number, rows: number): Promise<void> {
  const epoch = 1 + time;
  const at = [{ partition: PARTITION, after: 0 }];
  await store.commit(NODE, batch(time, epoch));
  await store.load(MANY);
  await store.findReplies(MANY.map(({ type, key }) => ({ type, key, id: "m7" })));
  await store.list("account", { limit: 10, after: "k2" });
  await store.where({
    type: "account",
    fields: ["n"],
    conditions: [{ field: "n", values: ["v3"] }],
    limit: 10,
    after: undefined,
  });
  await store.where({
    type: "account",
    fields: ["n"],
    conditions: [
      { field: "n", from: "v3", before: "v30" },
      { field: "n", values: ["v3"] },
    ],
    limit: 10,
    after: "k1",
  });
  await store.indexedFields([PARTITION]);
  await store.fillIndex(NODE, [{ partition: PARTITION, epoch }], {
    type: "account",
    actors: [
      {
        key: "k7",
        state: "{}",
        values: [
          { field: "n", value: "v7" },
          { field: "m", value: undefined },
        ],
      },
    ],
    complete: undefined,
  });
  await store.timers([PARTITION], 100, 10);
  // All that there are may be due at once, and some wait behind thousands.
  await store.timers(EVERY_PARTITION, NEVER, 10);
  await store.timers(EVERY_PARTITION, NEVER, 10, { dueAt: rows / 2, type: "account", key: "k", name: "t" });
  await store.timersOf(ACTOR);
  await store.paused([PARTITION]);
  await store.readJournal([{ ...ACTOR, after: 0 }], 10);
  await store.readHistory("account", at, 10);
  await store.cursors([PARTITION]);
  await store.saveCursors([{ sink: "a", partition: PARTITION, seq: time }]);
  await store.readOutbox("event", at, 10);
  await store.registerSinks([{ name: "a", kind: "event" }], time);
  await store.forgetSinks(1);
  await store.oldestAhead("a", "send");
  await store.oldestAhead("a", "event");
  await store.pruneOutbox([PARTITION], 1, 100);
  await store.pruneReplies(1, 1, 100);
  const begun = { ...ACTOR, id: `mine${time}`, partition: PARTITION, count: 1, at: time };
  await store.saveBegun([begun]);
  await store.begun([PARTITION]);
  await store.saveBegun([{ ...begun, count: 0 }]);
  await store.pruneBegun(1);
  await store.recordDeadLetters([
    {
      id: `mine${time}`,
      reason: "poison",
      detail: "",
      target: "k7",
      attempts: 1,
      record: "{}",
      at: 1,
      type: "account",
      key: "k7",
    },
  ]);
  for (const filter of FILTERS) {
    await store.deadLetters(filter, { limit: 10, after: 0, upTo: undefined });
    await store.keysWithDeadLetters(filter, ["k7", "none"], NEVER);
    await store.claimDeadLetterKeys(["k7"], "one", 1_000);
    await store.releaseDeadLetterKeys(["k7"], "one");
  }
  await store.summarizeDeadLetters({ key: "k7" });
  await store.deadLetter("l7");
  await store.lastDeadLetter();
  await store.countDeadLetters();
  await store.amendDeadLetter(`mine${time}`, "{}", { record: "{}", original: undefined, edits: undefined });
  await store.removeDeadLetters([`mine${time}`]);
  await store.settle(NODE, [{ partition: PARTITION, epoch }]);
  await store.heartbeat(NODE, 600_000);
  await store.acquire(NODE, [PARTITION]);
  await store.nodes();
  await store.contracts();
  await store.check();
}
