import { expect, test } from "bun:test";
import { headers } from "@nats-io/transport-node";
import { type ReceivedMessage, wireHeader, wireHeaders } from "./wire-headers.ts";

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

/** A message with these headers, in the bytes it came in; `before` came first. */
function received(sent: Readonly<Record<string, string>>, payload = "{}", before = ""): ReceivedMessage {
  const made = bytesOf(wireHeaders(Object.entries(sent)));
  const bytes = new TextEncoder().encode(before + made + payload);
  const known = headers();
  for (const [name, value] of Object.entries(sent)) known.set(name, value);
  return { data: bytes.subarray(bytes.length - new TextEncoder().encode(payload).length), headers: known };
}

const OTHERS = "HMSG topic.a 1 12 14\r\nNATS/1.0\r\nType: theirs\r\n\r\n{}\r\nHMSG topic.b 1 12 14\r\n";

test("wireHeader() finds a header of its own message alone", () => {
  expect(wireHeader(received({ Id: "1", Type: "order.changed" }), "Type")).toBe("order.changed");
  expect(wireHeader(received({ Type: "order.changed" }, "", OTHERS), "Type")).toBe("order.changed");
  expect(wireHeader(received({ Id: "NATS/1.0" }, "{}", OTHERS), "Type")).toBeUndefined();
  expect(wireHeader(received({ Id: "NATS/1.0", Type: "a" }, "\r\nType: b\r\n", OTHERS), "Type")).toBe("a");
  expect(wireHeader(received({ Type: "" }), "Type") ?? "").toBe("");
});

test("wireHeader() asks the library for what it does not read itself", () => {
  expect(wireHeader(received({ Type: "é" }), "Type")).toBe("é");
  expect(wireHeader(received({ Long: "x".repeat(2_000), Type: "a" }, "{}", OTHERS), "Type")).toBe("a");
  expect(wireHeader({ data: new Uint8Array(0) }, "Type")).toBeUndefined();
  const { headers: known } = received({ Type: "a" });
  expect(wireHeader({ data: new TextEncoder().encode("{}"), headers: known }, "Type")).toBe("a");
});
