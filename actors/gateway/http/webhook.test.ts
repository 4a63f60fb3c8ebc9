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
  expect(await readWebhook("demo", hmac, request(body, { "x-subject": "cart-1" }), silentLog)).toEqual({
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
  expect(await read('{"event":{"kind":"a b","id":"1"}}')).toBe("422 invalid_input");
  expect(await read('{"event":{"kind":{"x":1},"id":"1"}}')).toBe("422 invalid_input");
});

test("secretFault() finds a secret that its scheme cannot use", () => {
  expect(secretFault({ scheme: "standard", secrets: ["12345678"] })).toBeDefined();
  expect(secretFault({ scheme: "standard", secrets: ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"] })).toBeUndefined();
  expect(secretFault({ scheme: "github", secrets: ["12345678"] })).toBeUndefined();
});
