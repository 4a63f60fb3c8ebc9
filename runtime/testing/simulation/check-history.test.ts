import { expect, test } from "bun:test";
import { checkHistory } from "./check-history.ts";
import type { CommitEntry, FinishedEntry, History, HistoryEntry, RecordEntry } from "./history.ts";
import { VIOLATION_KINDS, type ViolationKind } from "./violation.ts";

/** An event of `counter/a`, number `seq` of its partition. */
function event(seq: number, id = `evt_${seq}`): RecordEntry {
  return { partition: 1, seq, kind: "event", id, name: "added.v1", actor: "counter/a", target: "a", body: `${seq}` };
}

function sent(seq: number): RecordEntry {
  return { ...event(seq, `msg_${seq}`), kind: "send", name: "add", target: "counter/b" };
}

function finished(turn: number, version: number, more: Partial<FinishedEntry> = {}): FinishedEntry {
  return {
    at: 0,
    kind: "finished",
    turn,
    node: "n1.1",
    actor: "counter/a",
    message: "add",
    version,
    state: `${version}`,
    id: null,
    call: turn,
    timer: null,
    effects: [],
    timers: [],
    ...more,
  };
}

/** The commit of some turns, all by one node; what they left is in it. */
function commit(turns: readonly FinishedEntry[], outbox: readonly RecordEntry[], lastSeq: number): CommitEntry {
  const last = new Map(turns.map((turn) => [turn.actor, turn]));
  return {
    at: 0,
    kind: "commit",
    node: turns[0]?.node ?? "n1.1",
    outcome: "applied",
    fences: [{ partition: 1, epoch: 1, lastSeq }],
    states: [...last.values()].map(({ actor, version, state }) => ({ actor, version, state })),
    replies: turns.flatMap(({ actor, id }) => (id === null ? [] : [{ actor, id, reply: null }])),
    outbox,
    timers: turns.flatMap(({ actor, timers }) => timers.map((timer) => ({ actor, ...timer }))),
  };
}

const world: HistoryEntry = {
  at: 0,
  kind: "world",
  seed: 1,
  nodes: 2,
  sinks: [{ name: "broker", accepts: "event" }],
  mailboxes: { counter: 2 },
  queries: ["counter.value"],
};
const owned: HistoryEntry = { at: 0, kind: "ownership", node: "n1.1", partition: 1, epoch: 1 };
const end: HistoryEntry = { at: 0, kind: "end", now: 1_000, waiting: [] };

function call(number: number, more: object = {}): HistoryEntry {
  const asked = { actor: "counter/a", message: "add", input: "1", id: null };
  return { at: 0, kind: "call", call: number, node: "n1.1", ...asked, ...more };
}

function answer(number: number, reply: string | null = null): HistoryEntry {
  return { at: 0, kind: "answer", call: number, actor: "counter/a", outcome: { kind: "ok", reply } };
}

function told(number: number, code: string): HistoryEntry {
  return { at: 0, kind: "answer", call: number, actor: "counter/a", outcome: { kind: "error", code } };
}

function begins(turn: number, state: string | null, actor = "counter/a"): HistoryEntry {
  return { at: 0, kind: "turn", turn, node: "n1.1", actor, message: "add", state };
}

function ends(turn: number, outcome: "done" | "refused" | "failed" = "done", actor = "counter/a"): HistoryEntry {
  return { at: 0, kind: "turn-end", turn, actor, outcome };
}

function taken(record: RecordEntry): HistoryEntry {
  return { at: 0, kind: "published", sink: "broker", node: "n1.1", record };
}

function read(state: string | null): HistoryEntry {
  return { at: 0, kind: "query", node: "n1.1", actor: "counter/a", message: "value", state, reply: state };
}

function stored(version: number, state: string | null): HistoryEntry {
  return { at: 0, kind: "stored", actor: "counter/a", version, state };
}

/** Two turns, each committed and answered in its time, and their events at the sink. */
const first = finished(1, 1, { effects: ["evt_1"] });
const second = finished(2, 2, { effects: ["evt_2"] });
const sound: History = [
  world,
  owned,
  call(1),
  begins(1, null),
  ends(1),
  first,
  commit([first], [event(1)], 1),
  answer(1),
  taken(event(1)),
  call(2),
  begins(2, "1"),
  ends(2),
  second,
  commit([second], [event(2)], 2),
  answer(2),
  taken(event(2)),
  taken(event(2)),
  call(3, { message: "value", input: null }),
  read("2"),
  answer(3, "2"),
  stored(2, "2"),
  end,
];

/** The sound history, with some of its entries put in the place of others. */
function sundered(change: (entries: HistoryEntry[]) => void): History {
  const entries = [...sound];
  change(entries);
  return entries;
}

const place = (entry: HistoryEntry): number => sound.indexOf(entry);
const [firstCommit, secondCommit] = sound.filter((entry) => entry.kind === "commit") as [CommitEntry, CommitEntry];
const timer = finished(3, 1, {
  call: null,
  timer: { name: "t", dueAt: 500, now: 500 },
  timers: [{ name: "t", dueAt: null }],
});
const setter = finished(1, 1, { timers: [{ name: "t", dueAt: 500 }] });
const rung = { ...timer, version: 2 };

const broken: Record<Exclude<ViolationKind, "invariant">, History> = {
  "overlapping-turns": sundered((h) => {
    const [start] = h.splice(10, 1) as [HistoryEntry];
    h.splice(4, 0, start);
  }),
  "partial-turn": sundered(
    (h) => (h[place(secondCommit)] = { ...secondCommit, outbox: [], fences: firstCommit.fences }),
  ),
  "trace-left": sundered((h) => (h[10] = begins(2, "17"))),
  "written-but-failed": sundered((h) => (h[14] = told(2, "commit_failed"))),
  "stored-differs": sundered((h) => (h[20] = stored(1, "1"))),
  "answered-before-durable": sundered((h) => {
    h[13] = answer(2);
    h[14] = secondCommit;
  }),
  "undurable-answer": sundered((h) => {
    h[18] = read("3");
    h[19] = answer(3, "3");
  }),
  "stale-write": sundered((h) => h.splice(9, 0, { ...owned, node: "n2.1", epoch: 2 } as HistoryEntry)),
  "version-fork": sundered((h) => {
    h[12] = { ...second, version: 1 };
    h[13] = { ...secondCommit, states: firstCommit.states };
  }),
  "version-gap": sundered((h) => (h[12] = { ...second, version: 9 })),
  "stale-answer": sundered((h) => {
    h[18] = read("1");
    h[19] = answer(3, "1");
  }),
  "effect-twice": sundered((h) => {
    const [one, two] = [
      { ...first, id: "x" },
      { ...second, id: "x" },
    ];
    h[place(first)] = one;
    h[place(second)] = two;
    h[place(firstCommit)] = commit([one], [event(1)], 1);
    h[place(secondCommit)] = commit([two], [event(2)], 2);
  }),
  "answers-differ": repeated(call(3, { id: "x" }), answer(3, "9")),
  "id-reused": repeated(call(3, { id: "x", input: "2" }), answer(3)),
  "sequence-gap": sundered((h) => (h[13] = commit([second], [{ ...event(3), id: "evt_2" }], 3))),
  "phantom-record": sundered((h) => h.splice(15, 0, taken(event(3)))),
  "record-lost": sundered((h) => h.splice(15, 2)),
  "record-order": sundered((h) => {
    h.splice(8, 1);
    h.splice(15, 0, taken(event(1)));
  }),
  "repeat-differs": sundered((h) => (h[16] = taken({ ...event(2), body: "other" }))),
  "send-lost": sends([]),
  "send-order": sends([2, 1]),
  "timer-early": timers(setter, { ...rung, timer: { name: "t", dueAt: 500, now: 499 } }),
  "timer-lost": timers(setter),
  "timer-not-set": timers({ ...setter, timers: [{ name: "t", dueAt: 600 }] }, rung),
  "neighbour-failed": sundered((h) => {
    const states = [...secondCommit.states, { actor: "counter/b", version: 1, state: "1" }];
    h[13] = { ...secondCommit, outcome: "refused", states };
    h[14] = told(2, "commit_failed");
  }),
  "backlog-overflow": [
    world,
    owned,
    ...[1, 2, 3].flatMap((n) => [begins(n, n === 1 ? null : `${n - 1}`), ends(n), finished(n, n)]),
    end,
  ],
  "neighbour-held": [
    world,
    owned,
    { ...commit([finished(1, 1)], [], 0), outcome: "refused" },
    ...Array.from({ length: 8 }, (): HistoryEntry => {
      const states = ["counter/a", "counter/b"].map((actor) => ({ actor, version: 1, state: "1" }));
      return { ...commit([], [], 0), outcome: "refused", states };
    }),
    end,
  ],
  "mailbox-overflow": sundered((h) =>
    h.splice(3, 0, { at: 0, kind: "delivered", node: "n1.1", actor: "counter/a", message: "add", depth: 3 }),
  ),
  stuck: sundered((h) => (h[21] = { at: 0, kind: "end", now: 1_000, waiting: ["3 records wait for broker on n1.1"] })),
};

/** The first call carries the id `x`; another call with it comes at the end. */
function repeated(again: HistoryEntry, reply: HistoryEntry): History {
  const one = { ...first, id: "x" };
  return sundered((h) => {
    h[2] = call(1, { id: "x" });
    h[place(first)] = one;
    h[place(firstCommit)] = commit([one], [event(1)], 1);
    h.splice(17, 3, again, reply);
  });
}

/** `counter/a` sends twice to `counter/b`, which handles the sends in the given order. */
function sends(order: readonly number[]): History {
  const sender = finished(1, 1, { effects: ["msg_1", "msg_2"] });
  const handled = order.flatMap((seq, i) => {
    const turn = finished(10 + seq, i + 1, { actor: "counter/b", id: `msg_${seq}`, call: null });
    return [
      begins(turn.turn, i === 0 ? null : `${i}`, "counter/b"),
      ends(turn.turn, "done", "counter/b"),
      turn,
      commit([turn], [], 2),
    ];
  });
  const source = [begins(1, null), ends(1), sender, commit([sender], [sent(1), sent(2)], 2)];
  return [world, owned, ...source, ...handled, end];
}

/** `counter/a` sets a timer, and maybe handles it. */
function timers(...turns: readonly FinishedEntry[]): History {
  const entries = turns.flatMap((turn, i) => [
    begins(turn.turn, i === 0 ? null : `${i}`),
    ends(turn.turn),
    turn,
    commit([turn], [], 0),
  ]);
  return [world, owned, ...entries, end];
}

test("checkHistory() finds nothing wrong with histories that keep every promise", () => {
  expect(checkHistory(sound)).toEqual([]);
  expect(checkHistory(sends([1, 2]))).toEqual([]);
  expect(checkHistory(timers(setter, rung))).toEqual([]);
  expect(checkHistory(repeated(call(3, { id: "x" }), answer(3)))).toEqual([]);
});

test.each(Object.entries(broken))("checkHistory() rejects a history with %s", (kind, history) => {
  const found = checkHistory(history);
  expect(found.map((violation) => violation.kind)).toContain(kind as ViolationKind);
  expect(found.find((violation) => violation.kind === kind)?.promise).toBe(VIOLATION_KINDS[kind as ViolationKind][0]);
});

test("checkHistory() rejects a refusal that rests on a state that was never committed", () => {
  const refused = [call(4), begins(4, "5"), ends(4, "refused"), told(4, "refused")];
  const kinds = checkHistory([...sound.slice(0, -2), ...refused]).map(({ kind }) => kind);
  expect(kinds).toEqual(["undurable-answer"]);
});

test("checkHistory() wants a turn that keeps the state to have seen what is committed", () => {
  const kept = finished(4, 2, { unchanged: true, id: "x", state: "2" });
  const history = (turn: FinishedEntry, saw: string | null): History => [
    ...sound.slice(0, -2),
    call(4, { id: "x" }),
    begins(4, saw),
    ends(4),
    turn,
    { ...commit([turn], [], 2), states: [], unchanged: [4] },
    answer(4),
    stored(2, "2"),
    end,
  ];
  const kinds = (turn: FinishedEntry, saw: string | null): string[] =>
    checkHistory(history(turn, saw)).map(({ kind }) => kind);
  expect(kinds(kept, "2")).toEqual([]);
  expect(kinds({ ...kept, version: 1, state: "1" }, "1")).toEqual(["trace-left"]);
  expect(kinds({ ...kept, version: 3, state: "3" }, "3")).toEqual(["trace-left"]);
  expect(kinds(kept, "1")).toEqual(["trace-left"]);
});

test("checkHistory() takes the order of a sink's first deliveries: what it gets again may come out of order", () => {
  expect(checkHistory(sundered((h) => h.splice(17, 0, taken(event(1)), taken(event(2)))))).toEqual([]);
});
