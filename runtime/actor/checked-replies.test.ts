import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory } from "#runtime";

const Scale = actor("scale", {
  state: v.object({ grams: v.number() }),
  initial: () => ({ grams: 0 }),
  messages: ({ command, query }) => ({
    put: command({ in: v.number(), out: v.pipe(v.number(), v.maxValue(100)) }, (c, grams) => (c.state.grams += grams)),
    later: command({ out: v.string() }, async () => 5 as unknown as string),
    grams: query({ out: v.pipe(v.number(), v.maxValue(50)) }, (c) => c.state.grams),
  }),
});

test("with checkReplies a reply that is not what its message says fails its turn, which leaves no trace", async () => {
  const troupe = await createTroupe({
    actors: [Scale],
    stores: { default: memory() },
    checkReplies: true,
  });
  const scale = troupe.ref(Scale, "a");
  const codeOf = (call: Promise<unknown>) => call.catch((error: unknown) => (error as { code: string }).code);
  expect(await scale.put(60)).toBe(60);
  expect(await codeOf(scale.put(60))).toBe("turn_failed");
  expect(await codeOf(scale.later())).toBe("turn_failed");
  expect(await codeOf(scale.grams())).toBe("turn_failed");
  expect(await scale.put(30)).toBe(90);
  await troupe.stop();
});

test("without it replies leave as they are", async () => {
  const troupe = await createTroupe({ actors: [Scale], stores: { default: memory() } });
  expect(await troupe.ref(Scale, "a").put(160)).toBe(160);
  await troupe.stop();
});
