import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, type Log, memory, type PublishResult, type Sink, type Troupe } from "#runtime";
import { until } from "#runtime/testing/until.ts";

const Beat = actor("beat", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  emits: { "beat.made.v1": v.object({ n: v.number() }) },
  messages: ({ command }) => ({
    beat: command({}, (c) => {
      c.emit("beat.made.v1", { n: ++c.state.n });
    }),
  }),
});

type Lane = Sink["lane"];
const LANES: readonly (readonly [string, Lane])[] = [
  ["batch", { kind: "batch", maxBatch: 10 }],
  ["keyed", { kind: "keyed", maxInFlight: 10 }],
  ["partitions", { kind: "partitions", maxBatch: 10 }],
];

function sinkOf(lane: Lane, publish: Sink["publish"], over: Partial<Sink> = {}): Sink {
  const nothing = (): Promise<void> => Promise.resolve();
  return { name: "s", accepts: "event", lane, publish, check: nothing, close: nothing, ...over };
}

const pending = (troupe: Troupe): number | undefined => troupe.status().sinks.find(({ name }) => name === "s")?.pending;

test.each(LANES)("a record that a %s sink says nothing of is not acknowledged, and comes again", async (_, lane) => {
  const answers: readonly (readonly PublishResult[])[] = [
    [],
    [undefined as unknown as PublishResult],
    [{ kind: "lost" } as unknown as PublishResult],
    [{ kind: "acked" }, { kind: "acked" }],
    [{ kind: "acked" }],
  ];
  let tries = 0;
  const seen: (string | undefined)[] = [];
  const sink = sinkOf(lane, async () => {
    seen.push(troupe.status().sinks.find(({ name }) => name === "s")?.failing);
    return answers[tries++] ?? [{ kind: "acked" }];
  });
  await using troupe = await createTroupe({ actors: [Beat], stores: { default: memory() }, sinks: [sink] });
  await troupe.ref(Beat, "a").beat();
  await until(
    () => tries,
    (count) => count === answers.length,
  );
  await until(
    () => pending(troupe),
    (count) => count === 0,
  );
  expect(seen.slice(1).every((failing) => failing?.includes("expected acked, refused or held"))).toBe(true);
});

test.each(LANES)("a %s sink holds one target, in order, while the others go on", async (_, lane) => {
  let open = false;
  let holds = 0;
  const taken: string[] = [];
  const sink = sinkOf(lane, async (records) =>
    records.map(({ target, body }): PublishResult => {
      if (target === "slow" && !open) {
        holds++;
        return { kind: "held" };
      }
      taken.push(`${target} ${(JSON.parse(body) as { n: number }).n}`);
      return { kind: "acked" };
    }),
  );
  await using troupe = await createTroupe({ actors: [Beat], stores: { default: memory() }, sinks: [sink] });
  for (let i = 0; i < 3; i++) await troupe.ref(Beat, "slow").beat();
  for (let i = 0; i < 30; i++) await troupe.ref(Beat, "quick").beat();
  await until(
    () => holds,
    (count) => count >= 3,
  );
  await until(
    () => taken.length,
    (count) => count === 30,
  );
  expect(pending(troupe)).toBe(3);
  open = true;
  await until(
    () => taken.length,
    (count) => count === 33,
  );
  expect(taken.filter((text) => text.startsWith("slow"))).toEqual(["slow 1", "slow 2", "slow 3"]);
  await until(
    () => pending(troupe),
    (count) => count === 0,
  );
});

test("two sinks of one name in one store are refused, as they would share a cursor", async () => {
  const make = (over: Partial<Sink> = {}): Sink => sinkOf({ kind: "batch", maxBatch: 1 }, async () => [], over);
  const start = (sinks: Sink[]): Promise<Troupe> =>
    createTroupe({ actors: [Beat], stores: { default: memory("one") }, sinks });
  await expect(start([make(), make()])).rejects.toThrow('two sinks of the store "one" the name "s"');
  await expect(start([make(), make({ accepts: "routed" })])).rejects.toThrow("expected names that differ");
  await expect(start([make({ name: "actors" })])).rejects.toThrow('the name "actors"');
  await using troupe = await start([make({ stores: ["one"] }), make({ stores: ["other"] })]);
  expect(troupe.status().sinks.map(({ name }) => name)).toEqual(["s", "actors"]);
});

test("each dead letter is logged, and counted by its reason", async () => {
  const lines: object[] = [];
  const log: Log = (level, event, fields) => void (event === "dead-letter:kept" && lines.push({ level, ...fields }));
  const counted = new Map<string, number>();
  let read = (): void => undefined;
  const refusing = sinkOf({ kind: "batch", maxBatch: 10 }, async (records) =>
    records.map(() => ({ kind: "refused", detail: "too large" })),
  );
  await using troupe = await createTroupe({
    actors: [Beat],
    stores: { default: memory("one") },
    sinks: [refusing],
    log,
    metrics: {
      attach(counts) {
        read = () => {
          for (const { name, value } of counts.deadLetters()) counted.set(name, value);
        };
        return () => undefined;
      },
    },
  });
  await troupe.ref(Beat, "a").beat();
  await troupe.ref(Beat, "b").beat();
  await until(
    () => lines.length,
    (count) => count === 2,
  );
  expect(lines[0]).toMatchObject({ level: "warn", store: "one", reason: "broker", detail: "too large", target: "s" });
  read();
  expect(Object.fromEntries(counted)).toEqual({ broker: 2 });
});
