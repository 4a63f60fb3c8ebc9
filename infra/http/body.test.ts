import { expect, test } from "bun:test";
import { limitBody, readBytes, readJson } from "./body.ts";
import { Problem } from "./problem.ts";

const post = (
  body: BodyInit | null,
  headers: Record<string, string> = { "content-type": "application/json" },
): Request => new Request("http://localhost/", { method: "POST", body, headers });

async function statusOf(work: Promise<unknown>): Promise<number | "taken"> {
  try {
    await work;
    return "taken";
  } catch (error) {
    if (error instanceof Problem) return error.status;
    throw error;
  }
}

test("readJson() reads JSON in UTF-8 and says undefined for no body", async () => {
  expect(await readJson(post('{"a":"é"}'))).toEqual({ a: "é" });
  expect(await readJson(post("1", { "content-type": 'application/vnd.x+json; charset="UTF-8"' }))).toBe(1);
  expect(await readJson(post(null, {}))).toBeUndefined();
});

test("readJson() refuses other media types, charsets and encodings with 415", async () => {
  for (const headers of [
    { "content-type": "text/plain" },
    { "content-type": "application/jsonx" },
    { "content-type": "application/json; charset=utf-16" },
    { "content-type": "multipart/form-data; boundary=x" },
    { "content-type": "application/json", "content-encoding": "gzip" },
  ]) {
    expect([headers, await statusOf(readJson(post("{}", headers)))]).toEqual([headers, 415]);
  }
});

test("readJson() refuses bytes that are not UTF-8 with 400", async () => {
  for (const bytes of [
    [0x22, 0xff, 0x22],
    [0xff, 0xfe, 0x7b, 0, 0x7d, 0],
    [0xef, 0xbb, 0xbf, 0x7b, 0x7d],
    [0x22, 0xed, 0xa0, 0x80, 0x22],
  ]) {
    expect(await statusOf(readJson(post(new Uint8Array(bytes))))).toBe(400);
  }
});

test("readBytes() refuses by the declared length without reading", async () => {
  const body = new ReadableStream({
    pull() {
      throw new Error("was read");
    },
  });
  const request = post(body, { "content-length": "1048577" });
  expect(await statusOf(readBytes(request))).toBe(413);
});

test("readBytes() counts what comes without a length, and stops the sender at the limit", async () => {
  let sent = 0;
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 10;
      controller.enqueue(new Uint8Array(10));
    },
    cancel() {
      cancelled = true;
    },
  });
  expect(await statusOf(readBytes(post(body, {}), 100))).toBe(413);
  expect(sent).toBeLessThan(200);
  expect(cancelled).toBe(true);
});

test("readBytes() joins the chunks of a stream in order", async () => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const text of ["ab", "", "cde"]) controller.enqueue(new TextEncoder().encode(text));
      controller.close();
    },
  });
  expect(new TextDecoder().decode(await readBytes(post(body, {})))).toBe("abcde");
});

test("readBytes() answers 400 when the sender breaks off", async () => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.error(new Error("gone"));
    },
  });
  expect(await statusOf(readBytes(post(body, {})))).toBe(400);
});

test("readBytes() does not wait for a sender who never ends", async () => {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(1));
    },
  });
  expect(await statusOf(readBytes(post(body, {}), 100, 20))).toBe(400);
});

test("limitBody() bounds one request, with a length and without", async () => {
  const stream = (bytes: number): ReadableStream =>
    new ReadableStream({
      pull(controller) {
        controller.enqueue(new Uint8Array(bytes));
        controller.close();
      },
    });
  for (const [body, status] of [
    [stream(2_000), 413],
    [stream(1_000), "taken"],
    ["x".repeat(2_000), 413],
  ] as const) {
    const request = post(body);
    limitBody(request, 1_024);
    expect(await statusOf(readBytes(request))).toBe(status);
  }
  expect(await statusOf(readBytes(post(stream(2_000))))).toBe("taken");
});
