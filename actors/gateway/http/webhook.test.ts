import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import type { SourceConfig } from "#actors/gateway/source/messages.ts";
import type { Problem } from "#infra/http/problem.ts";
import { silentLog } from "#runtime";
import { readWebhook, secretFault } from "./webhook.ts";

const secrets = ["it-is-a-secret"];
const hmac: SourceConfig = {
  scheme: "hmac",
  secrets,
  signature: { header: "x-sign", algorithm: "sha256", encoding: "hex", prefix: "" },
  type: { pointer: "/event/kind" },
  id: { pointer: "/event/id" },
  subject: { header: "x-subject" },
};

function request(body: string, headers: Readonly<Record<string, string>> = {}): Request {
  const sign = createHmac("sha256", secrets[0] ?? "")
    .update(body)
    .digest("hex");
  return new Request("http://localhost/events/demo", {
    method: "POST",
    body,
    headers: { "content-type": "application/json", "x-sign": sign, ...headers },
  });
}

const refusal = (promise: Promise<unknown>): Promise<string> =>
  promise.then(
    () => "taken",
    ({ status, code }: Problem) => `${status} ${code}`,
  );

test("readWebhook() takes type, id and subject from where the source says", async () => {
  const body = JSON.stringify({ event: { kind: "made", id: 7 } });
  const { event } = await readWebhook("demo", hmac, request(body, { "x-subject": "cart-1" }), silentLog);
  expect(event).toEqual({
    id: "7",
    source: "/sources/demo",
    type: "demo.made",
    subject: "cart-1",
    data: { event: { kind: "made", id: 7 } },
    extensions: {},
  });
});

test("readWebhook() looks at nothing before the signature holds", async () => {
  const read = (body: string, headers: Readonly<Record<string, string>> = {}): Promise<string> =>
    refusal(readWebhook("demo", hmac, request(body, headers), silentLog));
  expect(await read("no json", { "x-sign": "00" })).toBe("401 webhook.unverified");
  expect(await read("no json")).toBe("400 json.malformed");
  expect(await read("{}", { "content-type": "text/plain" })).toBe("415 media_type.unsupported");
  expect(await read("{}", { "content-encoding": "gzip" })).toBe("415 media_type.encoding");
  expect(await read("{}")).toBe("422 invalid_input");
  expect(await read('{"event":{"kind":"a\\nb","id":"1"}}')).toBe("422 invalid_input");
  expect(await read('{"event":{"kind":{"x":1},"id":"1"}}')).toBe("422 invalid_input");
});

test("readWebhook() takes any type, and maps those that the source maps", async () => {
  const source: SourceConfig = { ...hmac, types: { "Push Hook": "repo.pushed" } };
  const typeOf = async (kind: string, from = source) =>
    (await readWebhook("demo", from, request(JSON.stringify({ event: { kind, id: "1" } })), silentLog)).event.type;
  expect(await typeOf("orders/create")).toBe("demo.orders/create");
  expect(await typeOf("Push Hook")).toBe("repo.pushed");
  expect(await typeOf("https://example.com/made", { ...source, typePrefix: "" })).toBe("https://example.com/made");
  expect(await typeOf("toString")).toBe("demo.toString");
});

test("readWebhook() refuses what is not ASCII in a header that it takes a text from", async () => {
  const body = '{"event":{"kind":"made","id":"1"}}';
  expect(await refusal(readWebhook("demo", hmac, request(body, { "x-subject": "größe" }), silentLog))).toBe(
    "422 invalid_input",
  );
  expect(await refusal(readWebhook("demo", hmac, request(body, { "x-other": "größe" }), silentLog))).toBe("taken");
});

test("readWebhook() keeps numbers as they came, in ids and in data", async () => {
  const read = (id: string) =>
    readWebhook("demo", hmac, request(`{"event":{"kind":"made","id":${id}},"n":1.0}`), silentLog);
  const [one, other] = await Promise.all([read("9007199254740992"), read("9007199254740993")]);
  expect([one.event.id, other.event.id]).toEqual(["9007199254740992", "9007199254740993"]);
  expect(other.event.data_json).toBe('{"event":{"kind":"made","id":9007199254740993},"n":1.0}');
  expect(one.once.id).not.toBe(other.once.id);
});

test("readWebhook() takes GitHub's form encoding, signed over the form", async () => {
  const github: SourceConfig = { scheme: "github", secrets };
  const send = (body: string) => {
    const sign = createHmac("sha256", secrets[0] ?? "")
      .update(body)
      .digest("hex");
    const headers = {
      "content-type": "application/x-www-form-urlencoded; charset=utf-8",
      "x-hub-signature-256": `sha256=${sign}`,
      "x-github-event": "push",
      "x-github-delivery": "d-1",
    };
    return readWebhook("gh", github, new Request("http://localhost/", { method: "POST", body, headers }), silentLog);
  };
  const { event } = await send(`payload=${encodeURIComponent('{"ref":"größe + 1","n":9007199254740993}')}&a=b`);
  expect(event).toMatchObject({ id: "d-1", type: "gh.push", data_json: '{"ref":"größe + 1","n":9007199254740993}' });
  expect(await refusal(send("a=b"))).toBe("400 form.malformed");
  expect(await refusal(send("payload=%7B&payload=%7B%7D"))).toBe("400 form.malformed");
  expect(await refusal(send("payload=%7B"))).toBe("400 json.malformed");
});

test("a recorded request is the same one, whatever headers that are not signed come with it", async () => {
  const github: SourceConfig = { scheme: "github", secrets, subject: { header: "x-subject" } };
  const sign = (body: string): string =>
    `sha256=${createHmac("sha256", secrets[0] ?? "")
      .update(body)
      .digest("hex")}`;
  const send = async (source: SourceConfig, body: string, headers: Readonly<Record<string, string>>) => {
    const all = {
      "content-type": "application/json",
      "x-hub-signature-256": sign(body),
      "x-sign": sign(body).slice(7),
      ...headers,
    };
    const { once } = await readWebhook(
      "a",
      source,
      new Request("http://localhost/", { method: "POST", body, headers: all }),
      silentLog,
    );
    return once;
  };
  const first = await send(github, "{}", { "x-github-event": "push", "x-github-delivery": "1", "x-subject": "a" });
  for (const headers of [
    { "x-github-event": "push", "x-github-delivery": "2", "x-subject": "a" },
    { "x-github-event": "ping", "x-github-delivery": "1", "x-subject": "a" },
    { "x-github-event": "push", "x-github-delivery": "1", "x-subject": "b" },
    { "x-github-event": "push" },
  ])
    expect(await send(github, "{}", headers)).toEqual(first);
  expect(first.mayDiffer).toBe(true);
  expect((await send(github, '{"a":1}', { "x-github-event": "push", "x-github-delivery": "1" })).id).not.toBe(first.id);
  // An id in the body is signed: it says what is a repeat, and other content under it is a fault.
  const inBody: SourceConfig = { ...hmac, subject: { pointer: "/subject" } };
  const body = '{"event":{"kind":"made","id":"1"},"subject":"s"}';
  expect(await send(inBody, body, { "x-other": "1" })).toMatchObject({ id: "event//sources/a 1", mayDiffer: false });
});

test("secretFault() finds a secret that its scheme cannot use", () => {
  expect(secretFault({ scheme: "standard", secrets: ["12345678"] })).toBeDefined();
  expect(secretFault({ scheme: "standard", secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] })).toBeUndefined();
  expect(secretFault({ scheme: "github", secrets: ["12345678"] })).toBeUndefined();
});
