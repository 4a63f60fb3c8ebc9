import { expect, test } from "bun:test";
import { type Envelope, TROUPE_ERROR_CODES, TroupeError, type TroupeErrorCode } from "#runtime";
import {
  InvalidInputError,
  MailboxFullError,
  OverloadedError,
  PausedError,
  RefusedError,
  StateUnreadableError,
} from "../message/errors.ts";
import { fromWireError, toWireError } from "./wire.ts";

const envelope: Envelope = {
  type: "order",
  key: "ord_42",
  message: "place",
  input: { lines: [1] },
  id: "m1",
  origin: { kind: "call" },
  attempt: 1,
  traceparent: undefined,
  callers: [],
  timeoutMs: 1_000,
};

/** One error of each code; those with data of their own as their own class. */
const errors: Readonly<Record<TroupeErrorCode, TroupeError>> = {
  ...(Object.fromEntries(
    TROUPE_ERROR_CODES.map((code) => [code, new TroupeError(code, `Cannot do it as of ${code}`)]),
  ) as Record<TroupeErrorCode, TroupeError>),
  refused: new RefusedError("out_of_stock", { available: 3, skus: ["TEA-1"] }),
  invalid_input: new InvalidInputError("place for order/ord_42", [
    { path: "/lines/0", message: "Invalid type", expected: "Object", received: "1" },
    { path: "/lines", message: "Invalid length", expected: ">=2", received: "1" },
  ]),
  mailbox_full: new MailboxFullError(envelope, 1_000),
  overloaded: new OverloadedError("order/ord_42", 250),
  paused: new PausedError("order/ord_42", { since: 1_700_000_000_000, reason: "by hand" }),
  state_unreadable: new StateUnreadableError("order/ord_42", 3, 2, "newer"),
};

for (const code of TROUPE_ERROR_CODES) {
  test(`${code} crosses nodes with its class, text and data`, () => {
    const sent = errors[code];
    const wire = JSON.parse(JSON.stringify(toWireError(sent)));
    const received = fromWireError(wire, envelope);
    expect(received.constructor).toBe(sent.constructor);
    expect(received.code).toBe(code);
    expect(received.message).toBe(sent.message);
    expect(received.retryable).toBe(sent.retryable);
    expect(Object.entries(received)).toEqual(Object.entries(sent));
  });
}

test("a full mailbox of an actor that the called one asked is told by its own address", () => {
  const sent = new MailboxFullError({ ...envelope, type: "stock", key: "TEA-1", message: "reserve" }, 7);
  const received = fromWireError(JSON.parse(JSON.stringify(toWireError(sent))), envelope);
  expect(received.message).toBe(sent.message);
  expect(received).toMatchObject({ limit: 7, envelope: { type: "stock", key: "TEA-1", input: undefined } });
});

test("what is no TroupeError crosses as turn_failed and keeps its text to itself", () => {
  const wire = toWireError(new Error("secret-canary"));
  expect(JSON.stringify(wire)).not.toContain("secret");
  expect(fromWireError(wire, envelope).code).toBe("turn_failed");
});

test("a code that this node does not know yet arrives as turn_failed", () => {
  expect(fromWireError({ code: "of_tomorrow", message: "Later" }, envelope).code).toBe("turn_failed");
});
