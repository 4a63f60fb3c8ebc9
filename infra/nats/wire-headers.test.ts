import { expect, test } from "bun:test";
import { headers } from "@nats-io/transport-node";
import { wireHeaders } from "./wire-headers.ts";

/** As the connection asks for them. */
const bytesOf = (made: object): string => new TextDecoder().decode((made as { encode(): Uint8Array }).encode());

test("wireHeaders() writes what the library's own headers write", () => {
  const entries = [
    ["Nats-Msg-Id", "evt_1"],
    ["ce_id", "é%20"],
    ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
  ] as const;
  const own = headers();
  for (const [name, value] of entries) own.set(name, value);
  expect(bytesOf(wireHeaders(entries))).toBe(bytesOf(own));
});

test("wireHeaders() lets no value bring further headers", () => {
  for (const value of ["a\r\nNats-Batch-Commit: 1", "a\n", "\rb"])
    expect(() => wireHeaders([["ce_id", value]])).toThrow(TypeError);
});
