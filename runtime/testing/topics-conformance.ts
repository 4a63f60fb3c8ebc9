import { withResolvers } from "../base/deferred.ts";
import { newId } from "../base/ids.ts";
import type { OutboxRecord } from "../ports/store.ts";
import type { TopicItem, TopicMessage, Topics, TopicSubscription } from "../ports/topics.ts";
import { assert, publishLikeARelay } from "./sink-checks.ts";
import type { DeclareTest } from "./sink-conformance.ts";

/** Topics with a history of their own, seen from several nodes. */
export interface TopicsUnderTest extends AsyncDisposable {
  /** One more node's view of the same history; the same object where there is only one process. */
  node(): Promise<Topics>;
  /** What the history is kept in dies as in a power cut, and comes back on the same data. Absent in memory. */
  readonly broker?: { kill(): Promise<void>; restart(): Promise<void> };
}

/** `small`: a history of at most 64 K; `large`: thousands of short messages. */
export type TopicsSetup = (size: "small" | "large") => Promise<TopicsUnderTest>;

/**
 * Declares the tests that every {@link Topics} passes. `setup` is called once per test; they run one after the other.
 *
 * @example
 * ```ts
 * topicsConformance("memoryTopics()", test, async () => {
 *   const topics = memoryTopics();
 *   return { node: async () => topics, [Symbol.asyncDispose]: () => topics.close() };
 * });
 * ```
 */
export function topicsConformance(name: string, test: DeclareTest, setup: TopicsSetup): void {
  const declare = (
    title: string,
    body: (subject: TopicsUnderTest) => Promise<void>,
    size: "small" | "large" = "large",
  ): void =>
    test(`${name} ${title}`, async () => {
      await using subject = await setup(size);
      await body(subject);
    }, 120_000);

  declare(
    "subscribe() brings every message of its topics, on every node in the same order under the same ids",
    async (subject) => {
      const [one, two] = [await subject.node(), await subject.node()];
      const here = await one.subscribe(["a", "b/1"]);
      const there = await two.subscribe(["b/1", "a"]);
      await publish(one, broadcasts(300, ["a", "b/1", "c"]));
      const [first, second] = await Promise.all([take(here, 200), take(there, 200)]);
      assert(same(numbers(first), numbers(second)), "the nodes saw different orders");
      assert(same(first.map(idOf), second.map(idOf)), "the nodes saw different ids");
      for (const topic of ["a", "b/1"]) {
        const seen = numbers(first.filter((item) => isMessage(item) && item.topic === topic));
        assert(
          same(
            seen,
            seen.toSorted((x, y) => x - y),
          ) && seen.length === 100,
          `${topic} is not in order`,
        );
      }
    },
  );

  declare("subscribe() gives the data as it was committed, with its topic and type", async (subject) => {
    const topics = await subject.node();
    const following = await topics.subscribe(["orders/ord_1.x:y~z"]);
    const [record] = broadcasts(1, ["orders/ord_1.x:y~z"]) as [OutboxRecord];
    await publish(topics, [record]);
    const [item] = await take(following, 1);
    assert(item?.kind === "message" && item.topic === record.target && item.type === record.name, "it is another one");
    assert(item.body === record.body && same(item.data, JSON.parse(record.body)), "the data changed on the way");
  });

  declare(
    "subscribe({after}) misses and repeats nothing, wherever it left, while more is published",
    async (subject) => {
      const topics = await subject.node();
      const whole = await topics.subscribe(["a"]);
      await publish(topics, broadcasts(400, ["a", "b"]));
      const before = await take(whole, 200);
      const publishing = publish(topics, broadcasts(400, ["a", "b"], 400));
      for (const from of [0, 1, 60, 150, 199]) {
        const resumed = await topics.subscribe(["a"], { after: idOf(before[from]) });
        const items = await take(resumed, 199 - from + 200);
        const wanted = Array.from({ length: items.length }, (_, i) => (from + 1 + i) * 2);
        assert(same(numbers(items), wanted), `after message ${from}: ${numbers(items).slice(0, 5).join()}…`);
        resumed.close();
      }
      await publishing;
    },
  );

  declare("subscribe({after: position}) goes on from there, also where nothing was taken yet", async (subject) => {
    const topics = await subject.node();
    await publish(topics, broadcasts(50, ["a"]));
    const idle = await topics.subscribe(["quiet"]);
    const following = await topics.subscribe(["a"]);
    const { position } = following;
    following.close();
    await publish(topics, broadcasts(50, ["a"], 50));
    const resumed = await topics.subscribe(["a"], { after: position });
    const items = await take(resumed, 50);
    assert(numbers(items)[0] === 50 || numbers(items).includes(50), "the first message behind the position is missing");
    await publish(topics, broadcasts(1, ["quiet"], 7));
    assert(same(numbers(await take(idle, 1)), [7]), "an idle follower missed its message");
  });

  declare(
    "subscribe({after}) says so where the history does not reach back, and goes on with what there is",
    async (subject) => {
      const topics = await subject.node();
      const following = await topics.subscribe(["a"]);
      await publish(topics, broadcasts(1, ["a"]));
      const [oldest] = await take(following, 1);
      following.close();
      for (let from = 1; from < 200; from += 10) await publish(topics, broadcasts(10, ["a"], from, 4_000));
      const [gap, ...rest] = await takeUntil(await topics.subscribe(["a"], { after: idOf(oldest) }), 200);
      assert(
        gap?.kind === "gap" && same(gap.topics, ["a"]),
        `there is no gap but ${JSON.stringify(gap)?.slice(0, 100)}`,
      );
      assert(rest.length > 0 && rest.every(isMessage), "nothing follows the gap");
      const numbered = numbers(rest);
      assert(
        numbered.every((n, i) => n === 201 - numbered.length + i),
        `there are holes behind the gap: ${numbered.join()}`,
      );
      const again = await takeUntil(await topics.subscribe(["a"], { after: gap.id }), 200);
      assert(same(numbers(again), numbered), "resuming after the gap brings something else");
    },
    "small",
  );

  declare("subscribe({after}) with a place of another history is a gap, not silence", async (subject) => {
    const topics = await subject.node();
    await publish(topics, broadcasts(3, ["a"]));
    const following = await topics.subscribe(["a"]);
    const { position } = following;
    for (const after of ["otherhistory-2", `${position.split("-")[0]}-999999`]) {
      const [gap, ...rest] = await take(await topics.subscribe(["a"], { after }), 4);
      assert(gap?.kind === "gap" && same(numbers(rest), [0, 1, 2]), `${after} is followed by ${JSON.stringify(gap)}`);
    }
  });

  declare("sink.publish() drops repeats of an id", async (subject) => {
    const topics = await subject.node();
    const records = broadcasts(60, ["a"]);
    const following = await topics.subscribe(["a"]);
    await publish(topics, records.slice(0, 40));
    await publish(topics, records.slice(0, 40));
    await publish(topics, records.slice(20));
    assert(
      same(
        numbers(await take(following, 60)),
        records.map((_, i) => i),
      ),
      "a repeat came through, or out of order",
    );
  });

  declare("a follower that reads nothing holds up nobody, and misses nothing when it reads", async (subject) => {
    const topics = await subject.node();
    const slow = await topics.subscribe(["a"]);
    const quick = await topics.subscribe(["a"]);
    const reading = take(quick, 2_000);
    for (let from = 0; from < 2_000; from += 500) await publish(topics, broadcasts(500, ["a"], from));
    const wanted = Array.from({ length: 2_000 }, (_, i) => i);
    assert(same(numbers(await reading), wanted), "the quick one missed something");
    assert(same(numbers(await take(slow, 2_000)), wanted), "the slow one missed something");
    await publish(topics, broadcasts(1, ["a"], 2_000));
    assert(same(numbers(await take(slow, 1)), [2_000]), "the slow one does not go on");
  });

  declare("two hundred followers that come back at once all get what they missed", async (subject) => {
    const topics = await subject.node();
    const first = await topics.subscribe(["a"]);
    await publish(topics, broadcasts(300, ["a"]));
    const [start] = await take(first, 1);
    const crowd = Array.from({ length: 200 }, async () => {
      const following = await topics.subscribe(["a", "b"], { after: idOf(start) });
      return numbers(await take(following, 299));
    });
    const wanted = Array.from({ length: 299 }, (_, i) => i + 1);
    for (const seen of await Promise.all(crowd)) assert(same(seen, wanted), "one of them missed something");
  });

  declare("unfollow(), close() and the signal end what they say", async (subject) => {
    const topics = await subject.node();
    const following = await topics.subscribe(["a", "b"]);
    following.unfollow(["a"]);
    await publish(topics, broadcasts(10, ["a", "b"]));
    assert(same(numbers(await take(following, 5)), [1, 3, 5, 7, 9]), "it followed what it should not");
    const waiting = following.next();
    following.close();
    assert((await waiting).done === true, "close() left the loop waiting");
    const controller = new AbortController();
    const aborted = (await topics.subscribe(["a"], { signal: controller.signal })).next();
    controller.abort();
    assert((await aborted).done === true, "the signal left the loop waiting");
  });

  declare("subscribe() refuses what is no topic and no id", async (subject) => {
    const topics = await subject.node();
    const bad = [
      "",
      "/a",
      "a/",
      "a//b",
      "a b",
      "a.*",
      "a/>",
      "*",
      "1a",
      "a\nb",
      "ä",
      "a".repeat(201),
      "a/../b/",
      "a/$b",
    ];
    for (const topic of bad) assert(await invalid(topics.subscribe([topic])), `"${topic}" was taken as a topic`);
    assert(await invalid(topics.subscribe([])), "no topic was taken");
    assert(await invalid(topics.subscribe(Array.from({ length: 101 }, (_, i) => `t${i}`))), "101 topics were taken");
    for (const after of ["", "7", "x-", "x-1.5", "a-b-1"])
      assert(await invalid(topics.subscribe(["a"], { after })), `"${after}" was taken as an id`);
  });

  test(`${name} loses nothing, and its followers go on by themselves, when the broker is killed on the way`, async () => {
    await using subject = await setup("large");
    const { broker } = subject;
    if (broker === undefined) return;
    const topics = await subject.node();
    const following = await topics.subscribe(["a", "b"]);
    const records = broadcasts(3_000, ["a", "b"]);
    let acked = 0;
    const underWay = withResolvers<void>();
    const reading = take(following, records.length);
    const publishing = publishLikeARelay(topics.sink, records, 100, (count) => {
      acked += count;
      if (acked >= 800) underWay.resolve();
    });
    await underWay.promise;
    await broker.kill();
    assert(acked < records.length, "all was published before the broker was killed");
    await broker.restart();
    await publishing;
    const items = await reading;
    const seen = [...new Set(numbers(items))];
    for (const rest of [0, 1]) {
      const mine = seen.filter((n) => n % 2 === rest);
      assert(
        same(
          mine,
          mine.toSorted((x, y) => x - y),
        ),
        "the order of a topic is broken",
      );
    }
    assert(seen.length === records.length, `${seen.length} of ${records.length} messages came`);
    assert(items.every(isMessage), "there was a gap");
  }, 120_000);
}

function broadcasts(count: number, topics: readonly string[], from = 0, padding = 0): OutboxRecord[] {
  return Array.from({ length: count }, (_, i) => ({
    partition: 3,
    seq: from + i + 1,
    kind: "broadcast",
    id: newId("brd"),
    name: "counted",
    actor: { type: "t", key: "k" },
    target: topics[(from + i) % topics.length] as string,
    body: JSON.stringify({ n: from + i, note: "größer ✓", padding: "x".repeat(padding) }),
    at: 1_760_000_000_000,
    traceparent: undefined,
  }));
}

async function publish(topics: Topics, records: readonly OutboxRecord[]): Promise<void> {
  const results = await topics.sink.publish(records, 1);
  assert(results.length === records.length && results.every(({ kind }) => kind === "acked"), "not all were acked");
}

const isMessage = (item: TopicItem): item is TopicMessage => item.kind === "message";
const idOf = (item: TopicItem | undefined): string => item?.id ?? "";
const numbers = (items: readonly TopicItem[]): number[] =>
  items.filter(isMessage).map(({ data }) => (data as { n: number }).n);
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

/** The next `count` items. */
async function take(following: TopicSubscription, count: number): Promise<TopicItem[]> {
  const items: TopicItem[] = [];
  while (items.length < count) items.push(await nextOf(following, `item ${items.length + 1} of ${count}`));
  return items;
}

/** Everything up to the message with the number `last`. */
async function takeUntil(following: TopicSubscription, last: number): Promise<TopicItem[]> {
  for (const items: TopicItem[] = []; ;) {
    const item = await nextOf(following, `the message ${last}`);
    items.push(item);
    if (numbers([item])[0] === last) return items;
  }
}

async function nextOf(following: TopicSubscription, what: string): Promise<TopicItem> {
  const late = withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`Does not hold: ${what} comes within 30 s`)), 30_000);
  const result = await Promise.race([following.next(), late.promise]).finally(() => clearTimeout(timer));
  assert(result.done !== true, `${what} comes before the subscription ends`);
  return result.value;
}

function invalid(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    (error: unknown) => (error as { code?: string }).code === "invalid_input",
  );
}
