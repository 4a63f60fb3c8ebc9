import { expect, test } from "bun:test";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { PayloadUnreadableError, sealingCodec } from "./codec.ts";

const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);
const CANARY = "tok_canary_9f3b";
const payload: Payload = defaultPayloadConverter.toPayload({ paymentToken: CANARY, address: "Ünter den Linden 1" });
const bytesOf = (one: Payload | undefined): string => Buffer.from(one?.data ?? []).toString("latin1");

async function failure(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}

test("sealingCodec() hides the value and its encoding, and opens to the same payload", async () => {
  const codec = sealingCodec([key(1)]);
  const [sealed] = await codec.encode([payload]);
  expect(bytesOf(sealed)).not.toContain(CANARY);
  expect(Buffer.from(sealed?.metadata?.["encoding"] ?? []).toString()).toBe("binary/encrypted");
  expect(Object.keys(sealed?.metadata ?? {}).sort()).toEqual(["encoding", "encryption-key-id"]);
  const [opened] = await codec.decode([sealed as Payload]);
  expect(defaultPayloadConverter.fromPayload(opened as Payload)).toEqual({
    paymentToken: CANARY,
    address: "Ünter den Linden 1",
  });
});

test("sealingCodec() never makes the same bytes of the same value", async () => {
  const codec = sealingCodec([key(1)]);
  const [one, two] = await codec.encode([payload, payload]);
  expect(bytesOf(one)).not.toBe(bytesOf(two));
});

test("sealingCodec() opens what an older key sealed, and seals with the first (P1)", async () => {
  const [old] = await sealingCodec([key(1)]).encode([payload]);
  const rotated = sealingCodec([key(2), key(1)]);
  expect((await rotated.decode([old as Payload]))[0]?.data).toEqual(payload.data);
  const [fresh] = await rotated.encode([payload]);
  const error = await failure(sealingCodec([key(1)]).decode([fresh as Payload]));
  expect(error).toBeInstanceOf(PayloadUnreadableError);
  expect(String(error)).not.toContain(CANARY);
});

test("sealingCodec() passes what is not sealed, and seals nothing twice (P2)", async () => {
  const codec = sealingCodec([key(1)]);
  expect(await codec.decode([payload])).toEqual([payload]);
  const sealed = await codec.encode([payload]);
  expect(await codec.encode(sealed)).toEqual(sealed);
  expect(await sealingCodec([]).encode([payload])).toEqual([payload]);
});

test("sealingCodec() refuses a payload of which any byte was changed (P3)", async () => {
  const codec = sealingCodec([key(1)]);
  const [sealed] = await codec.encode([payload]);
  const data = sealed?.data as Uint8Array;
  for (const at of [0, 12, Math.floor(data.length / 2), data.length - 1]) {
    const changed = Uint8Array.from(data);
    changed[at] = (changed[at] as number) ^ 1;
    const forged = { metadata: sealed?.metadata ?? {}, data: changed };
    expect(await failure(codec.decode([forged]))).toMatchObject({ code: "payload_unreadable" });
  }
  for (const short of [new Uint8Array(), data.subarray(0, 5), data.subarray(0, 28)]) {
    const forged = { metadata: sealed?.metadata ?? {}, data: short };
    expect(await failure(codec.decode([forged]))).toMatchObject({ code: "payload_unreadable" });
  }
});
