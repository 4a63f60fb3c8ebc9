/** What we send, received by the libraries of Standard Webhooks in other languages, over HTTP. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { deliver } from "./deliver.ts";
import { REFERENCE_LIBRARIES } from "./reference-receivers.fixture.ts";
import { signWebhook, type SignatureHeaders } from "./sign.ts";
import { newKeyPair, newSecret, parseSigningKey } from "./signing-key.ts";
import { verifyWebhook } from "./verify.ts";

// The first run on a machine fetches and builds the receivers.
setDefaultTimeout(180_000);

const BODY = Buffer.from('{"type":"order.placed.v1","data":{"orderId":"ord_42","note":"größer ✓"}}');
const ID = "msg_01J9Z5X4Q4E7T2K6B8N0C3D5F7";
const keys = { secret: newSecret(), ...newKeyPair() };
const LOOPBACK = { allows: (address: string) => address === "127.0.0.1" };

interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const signed = (...signers: readonly string[]): { readonly headers: SignatureHeaders; readonly body: Buffer } => ({
  headers: signWebhook({ id: ID, at: new Date(), body: BODY }, signers.map(parseSigningKey)),
  body: BODY,
});

/** The status that a receiver answers. */
async function post(url: string, { headers, body }: Request): Promise<number | string> {
  const outcome = await deliver(url, { headers, body: new Uint8Array(body) }, LOOPBACK);
  return outcome.kind === "answered" ? outcome.status : outcome.detail;
}

/** The request with one bit another, at every place of every header and of the body. */
function* forged({ headers, body }: Request): Generator<Request> {
  for (const [name, value] of Object.entries(headers)) {
    for (let i = 0; i < value.length; i++) {
      const other = value.slice(0, i) + String.fromCharCode(value.charCodeAt(i) ^ 1) + value.slice(i + 1);
      if (name === "webhook-signature" && sameSignature(value, other)) continue;
      yield { headers: { ...headers, [name]: other }, body };
    }
  }
  for (let i = 0; i < body.length; i++) {
    const other = Buffer.from(body);
    other[i] = (other[i] as number) ^ 1;
    yield { headers, body: other };
  }
}

/** The last digit of base64 has bits that mean nothing. We refuse such a spelling, some libraries read it. */
function sameSignature(one: string, other: string): boolean {
  const read = (text: string): string =>
    `${text.split(",")[0]} ${Buffer.from(text.split(",")[1] ?? "", "base64").toString("hex")}`;
  return read(one) === read(other);
}

for (const { name, missing, paths, start } of REFERENCE_LIBRARIES) {
  if (missing !== undefined) console.warn(`Without the ${name} library of Standard Webhooks, as ${missing}`);

  test.skipIf(missing !== undefined)(
    `the ${name} library takes what we deliver, and no request in which a bit differs`,
    async () => {
      await using receiver = await start(keys);
      for (const { path, scheme } of paths) {
        const [own, other] = scheme === "v1" ? [keys.secret, newSecret()] : [keys.signingKey, newKeyPair().signingKey];
        const url = `${receiver.url}${path}`;
        const genuine = signed(own);
        expect(await post(url, { ...genuine, headers: { ...genuine.headers } })).toBe(204);
        // Amid a rotation, and beside signatures of the other scheme.
        const many = signed(other, scheme === "v1" ? keys.signingKey : keys.secret, own);
        expect(await post(url, { ...many, headers: { ...many.headers } })).toBe(204);
        const stranger = signed(other);
        expect(await post(url, { ...stranger, headers: { ...stranger.headers } })).toBe(401);
        const requests = [...forged({ ...genuine, headers: { ...genuine.headers } })];
        const taken: Request[] = [];
        for (let i = 0; i < requests.length; i += 16) {
          const some = requests.slice(i, i + 16);
          const answers = await Promise.all(some.map((request) => post(url, request)));
          taken.push(...some.filter((_, at) => answers[at] !== 401));
        }
        expect(taken).toEqual([]);
        expect(requests.length).toBeGreaterThan(BODY.length + ID.length + 10);
      }
    },
  );

  test.skipIf(missing !== undefined)(`we verify what the ${name} library signs`, async () => {
    await using receiver = await start(keys);
    const head = { "webhook-id": ID, "webhook-timestamp": String(Math.floor(Date.now() / 1_000)) };
    const answer = await fetch(`${receiver.url}/sign`, { method: "POST", headers: head, body: new Uint8Array(BODY) });
    const headers = new Headers({ ...head, "webhook-signature": await answer.text() });
    const scheme = { kind: "standard", secrets: [keys.secret] } as const;
    expect(verifyWebhook(scheme, headers, BODY, Date.now())).toEqual({ kind: "verified" });
  });
}
