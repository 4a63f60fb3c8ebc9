import { expect, test } from "bun:test";
import type { Envelope } from "#runtime";
import { localNetwork } from "#runtime/testing";

const envelope: Envelope = {
  type: "t",
  key: "k",
  message: "m",
  input: { at: new Date(0), none: undefined },
  id: undefined,
  origin: { kind: "call" },
  attempt: 1,
  traceparent: undefined,
  callers: [],
  timeoutMs: 1_000,
};

test("localNetwork() carries a call to its node as JSON, and remembers it", async () => {
  const network = localNetwork();
  const inputs: unknown[] = [];
  await network.transport().serve("a", async ({ input }) => {
    inputs.push(input);
    return { kind: "reply", body: "1" };
  });
  expect(await network.transport().call("a", envelope)).toEqual({ kind: "reply", body: "1" });
  expect(inputs).toEqual([{ at: "1970-01-01T00:00:00.000Z" }]);
  expect(network.calls).toEqual(["a m"]);
});

test("localNetwork() answers unavailable for a node that nobody serves, or that has closed its transport", async () => {
  const network = localNetwork();
  const transport = network.transport();
  await transport.serve("a", async () => ({ kind: "reply", body: undefined }));
  await transport.close();
  expect(
    await network
      .transport()
      .call("a", envelope)
      .catch((error: unknown) => error),
  ).toMatchObject({
    code: "unavailable",
  });
});
