import { expect, test } from "bun:test";
import postgres from "postgres";
import { QueryDeadlineError } from "#infra/postgres/pool.ts";
import { WorkflowClientError, type WorkflowClientErrorCode } from "#infra/temporal/client-error.ts";
import {
  type Envelope,
  InvalidInputError,
  MailboxFullError,
  RefusedError,
  TroupeError,
  type TroupeErrorCode,
} from "#runtime";
import { Problem, problemResponse } from "./problem.ts";
import type { RefusedBy } from "./refusals.ts";
import { toProblem } from "./to-problem.ts";

const SECRET = "secret-canary";

test("toProblem() gives every runtime code its status", () => {
  const expected: Record<Exclude<TroupeErrorCode, "refused" | "invalid_input" | "mailbox_full">, string> = {
    unknown_actor: "500 internal",
    unknown_message: "500 internal",
    message_id_reused: "422 idempotency.key_reused",
    turn_failed: "500 internal",
    commit_failed: "503 commit_failed",
    overloaded: "503 overloaded",
    fenced: "503 fenced",
    deadline_exceeded: "503 deadline_exceeded",
    unavailable: "503 unavailable",
    state_too_large: "422 state_too_large",
    event_too_large: "422 event_too_large",
    call_cycle: "500 internal",
    ask_failed: "503 ask_failed",
    cancelled: "503 cancelled",
    state_unreadable: "503 state_unreadable",
    index_incomplete: "503 index_incomplete",
    paused: "503 paused",
    stopping: "503 stopping",
  };
  for (const [code, answer] of Object.entries(expected)) {
    const problem = toProblem(new TroupeError(code as TroupeErrorCode, SECRET));
    expect([code, `${problem.status} ${problem.code}`]).toEqual([code, answer]);
    expect(problem.retryAfter).toBe(problem.status === 503 ? 1 : undefined);
    expect(problem.message).not.toContain(SECRET);
  }
});

test("toProblem() asks to come again where the database is away, and says nothing of what it said", () => {
  for (const code of ["ECONNREFUSED", "CONNECTION_DESTROYED", "CONNECT_TIMEOUT", "57P01", "57P03", "53300"]) {
    // What the server itself says when it lets nobody in is fatal for the session.
    const said = Object.assign(new Error(SECRET), { code, severity: "FATAL" });
    const fatal = Object.setPrototypeOf(said, postgres.PostgresError.prototype) as Error;
    const problem = toProblem(/^\d/.test(code) ? fatal : Object.assign(new Error(SECRET), { code }));
    expect([code, problem.status, problem.code, problem.retryAfter]).toEqual([code, 503, "unavailable", 1]);
    expect(problem.message).not.toContain(SECRET);
  }
  expect(toProblem(new QueryDeadlineError(SECRET)).status).toBe(503);
  expect(toProblem(Object.assign(new Error(SECRET), { code: "22021" })).status).toBe(500);
});

test("toProblem() answers a refusal as the endpoint says, and 409 for a reason that it does not list", () => {
  const refusals = { unknown_order: { status: 404, detail: "There is no such order" } };
  const answer = (reason: string, by?: RefusedBy): string => {
    const { status, code, message } = toProblem(new RefusedError(reason), by);
    return `${status} ${code} ${message}`;
  };
  expect(answer("unknown_order", { noun: "order", refusals })).toBe("404 order.unknown_order There is no such order");
  expect(answer("no_parcel", { noun: "order", refusals })).toBe("409 order.no_parcel Refused: no parcel");
  expect(answer("constructor", { noun: "order", refusals })).toBe("409 order.constructor Refused: constructor");
  expect(answer("unknown_order", { noun: "order" })).toBe("409 order.unknown_order Refused: unknown order");
  expect(answer("unknown_order")).toBe("409 actor.unknown_order Refused: unknown order");
});

test("toProblem() shows every issue of an input that does not fit", () => {
  const issues = [
    { path: "/a", message: "m", expected: "e", received: "r" },
    { path: "/b", message: "m", expected: "e", received: "r" },
  ];
  const problem = toProblem(new InvalidInputError("x", issues));
  expect([problem.status, problem.issues]).toEqual([422, issues]);
});

test("toProblem() answers a full mailbox with 429 and when to come back", () => {
  const envelope: Envelope = {
    type: "order",
    key: "k",
    message: "m",
    input: SECRET,
    id: undefined,
    origin: { kind: "call" },
    attempt: 1,
    traceparent: undefined,
    callers: [],
    timeoutMs: 1,
  };
  const problem = toProblem(new MailboxFullError(envelope, 1));
  expect([problem.status, problem.retryAfter]).toEqual([429, 1]);
});

test("toProblem() says nothing of an unexpected error, whatever was thrown", async () => {
  for (const thrown of [
    new Error(SECRET),
    SECRET,
    { message: SECRET },
    undefined,
    new TypeError(SECRET, { cause: SECRET }),
  ]) {
    const response = problemResponse(toProblem(thrown), "0".repeat(32));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain(SECRET);
  }
});

test("problemResponse() is a problem+json with trace id, headers and Retry-After", async () => {
  const response = problemResponse(
    new Problem(503, "unavailable", "d", { retryAfter: 2, headers: { allow: "GET" } }),
    "f".repeat(32),
  );
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  expect(response.headers.get("retry-after")).toBe("2");
  expect(response.headers.get("allow")).toBe("GET");
  expect(response.headers.get("x-trace-id")).toBe("f".repeat(32));
  expect(await response.json()).toEqual({
    type: "about:blank",
    title: "Not available right now",
    status: 503,
    detail: "d",
    code: "unavailable",
    traceId: "f".repeat(32),
  });
});

test("toProblem() gives every code of the workflow client its status, and keeps its text", () => {
  const expected: Record<WorkflowClientErrorCode, string> = {
    workflow_not_found: "404 workflow.not_found",
    workflow_conflict: "409 workflow.conflict",
    workflow_invalid: "422 workflow.invalid",
    workflow_failed: "409 workflow.refused",
    temporal_unavailable: "503 unavailable",
  };
  for (const [code, answer] of Object.entries(expected)) {
    const problem = toProblem(new WorkflowClientError(code as WorkflowClientErrorCode, SECRET));
    expect([code, `${problem.status} ${problem.code}`, problem.message.includes(SECRET)]).toEqual([
      code,
      answer,
      false,
    ]);
  }
});
