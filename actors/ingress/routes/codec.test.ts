import { expect, test } from "bun:test";
import { defaultPayloadConverter, type Payload } from "@temporalio/common";
import { sealingCodec } from "#infra/temporal/codec.ts";
import { createIngress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";

const UI = "http://localhost:8233";
const codec = sealingCodec([new Uint8Array(32).fill(1)]);
const app = createIngress(stubDeps({ codec: () => codec, codecOrigins: [UI] }));

interface Shown {
  readonly metadata: Record<string, string>;
  readonly data: string;
}
const shown = ({ metadata, data }: Payload): Shown => ({
  metadata: Object.fromEntries(
    Object.entries(metadata ?? {}).map(([name, value]) => [name, Buffer.from(value).toString("base64")]),
  ),
  data: Buffer.from(data ?? []).toString("base64"),
});

async function ask(verb: string, payloads: unknown, headers: Record<string, string> = {}, method = "POST") {
  const response = await app.handle(
    new Request(`http://localhost/codec/${verb}`, {
      method,
      headers: { "content-type": "application/json", ...headers },
      ...(method === "POST" ? { body: JSON.stringify({ payloads }) } : {}),
    }),
  );
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === "" ? {} : JSON.parse(text) };
}

test("POST /codec/decode opens what was sealed, and leaves the rest as it is, in order", async () => {
  const plain = defaultPayloadConverter.toPayload({ paymentToken: "tok_ok" }) as Payload;
  const [sealed] = await codec.encode([plain]);
  const { status, body } = await ask("decode", [shown(sealed as Payload), shown(plain), {}]);
  expect([status, body]).toEqual([200, { payloads: [shown(plain), shown(plain), { metadata: {} }] }]);
});

test("POST /codec/encode seals as the workers do", async () => {
  const plain = shown(defaultPayloadConverter.toPayload(["x"]) as Payload);
  const { body } = await ask("encode", [plain]);
  const [sealed] = body.payloads as Shown[];
  expect(Buffer.from(sealed?.metadata["encoding"] ?? "", "base64").toString()).toBe("binary/encrypted");
  expect((await ask("decode", [sealed])).body).toEqual({ payloads: [plain] });
});

test("a payload of another key is a 422 that names the key, and what is none a 422 with its place", async () => {
  const [other] = await sealingCodec([new Uint8Array(32).fill(2)]).encode([
    defaultPayloadConverter.toPayload("canary") as Payload,
  ]);
  const refused = await ask("decode", [shown(other as Payload)]);
  expect([refused.status, refused.body.code]).toEqual([422, "codec.unreadable"]);
  expect(refused.body.detail).toMatch(/Cannot open a payload of the key [0-9a-f]{8} as it is not among those/);
  for (const payloads of [{}, [[]], [{ data: "%" }], [{ metadata: ["a"] }], Array.from({ length: 2_001 }, () => ({}))])
    expect((await ask("decode", payloads)).status).toBe(422);
});

test("pages of the Temporal UI may use the codec, and nothing else; other pages may use neither", async () => {
  const preflight = { origin: UI, "access-control-request-method": "POST" };
  const { status, headers } = await ask("decode", [], preflight, "OPTIONS");
  expect([status, headers.get("access-control-allow-origin")]).toEqual([204, UI]);
  for (const name of ["authorization", "content-type", "x-namespace"])
    expect(headers.get("access-control-allow-headers")).toContain(name);
  expect((await ask("decode", [], { origin: UI })).headers.get("access-control-allow-origin")).toBe(UI);
  const elsewhere = new Request("http://localhost/orders", { headers: { origin: UI } });
  expect((await app.handle(elsewhere)).headers.get("access-control-allow-origin")).toBeNull();
  const evil = await ask("decode", [], { origin: "https://evil.example" });
  expect(evil.headers.get("access-control-allow-origin")).toBeNull();
});
