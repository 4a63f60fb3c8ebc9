import { expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { Webhook } from "standardwebhooks";
import { signWebhook } from "./sign.ts";
import { newKeyPair, newSecret, parseSigningKey, publicKeyOf } from "./signing-key.ts";
import { type VerificationScheme, verifyWebhook } from "./verify.ts";

const NOW = 1_760_000_000_000;
const BODY = Buffer.from('{"action":"opened","note":"größer ✓"}');
const MESSAGE = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", at: new Date(NOW), body: BODY };
const HEX_SECRET = "It's a Secret to Everybody";

function hmac(secret: string, body: Uint8Array | string): string {
  return createHmac("sha256", secret).update(body).digest("hex");
}

/** One signed request per scheme. */
function signed(): readonly { scheme: VerificationScheme; headers: Record<string, string> }[] {
  const secret = newSecret();
  const pair = newKeyPair();
  const t = NOW / 1_000;
  return [
    {
      scheme: { kind: "standard", secrets: [secret] },
      headers: { ...signWebhook(MESSAGE, [parseSigningKey(secret)]) },
    },
    {
      scheme: { kind: "standard", secrets: [pair.publicKey] },
      headers: { ...signWebhook(MESSAGE, [parseSigningKey(pair.signingKey)]) },
    },
    {
      scheme: { kind: "github", secrets: [HEX_SECRET] },
      headers: { "x-hub-signature-256": `sha256=${hmac(HEX_SECRET, BODY)}` },
    },
    {
      scheme: { kind: "stripe", secrets: [HEX_SECRET] },
      headers: { "stripe-signature": `t=${t},v1=${hmac(HEX_SECRET, `${t}.${BODY.toString()}`)},v0=aa` },
    },
    {
      scheme: { kind: "hmac", secrets: [HEX_SECRET], header: "x-sig", algorithm: "sha256", encoding: "hex" },
      headers: { "x-sig": hmac(HEX_SECRET, BODY) },
    },
  ];
}

test("what the reference library signs is verified, and it verifies what we sign", () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const reference = new Webhook(secret);
  const at = new Date();
  const ours = signWebhook({ ...MESSAGE, at }, [parseSigningKey(secret)]);
  expect(ours["webhook-signature"]).toBe(reference.sign(MESSAGE.id, at, BODY));
  expect(reference.verify(BODY, { ...ours })).toEqual(JSON.parse(BODY.toString()));
  expect(verifyWebhook({ kind: "standard", secrets: [secret] }, new Headers({ ...ours }), BODY, at.getTime())).toEqual({
    kind: "verified",
  });
});

/** One message, and what it is signed as: by the standard's libraries (`v1`) and by the server `v1a` comes from. */
const VECTOR = {
  id: "msg_p5jXN8AQM9LWM0D4loKWxJek",
  at: new Date(1_614_265_330_000),
  body: Buffer.from('{"test": 2432232314}'),
};
const VECTOR_SIGNATURES = [
  {
    signer: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    verifier: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    signature: "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
  },
  {
    signer: "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==",
    verifier: "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
    signature: "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==",
  },
];

test("the published test vectors are verified, and are what we sign", () => {
  for (const { signer, verifier, signature } of VECTOR_SIGNATURES) {
    const headers = {
      "webhook-id": VECTOR.id,
      "webhook-timestamp": "1614265330",
      "webhook-signature": signature,
    };
    expect(signWebhook(VECTOR, [parseSigningKey(signer)])).toEqual(headers);
    const scheme = { kind: "standard", secrets: [verifier] } as const;
    const verdict = verifyWebhook(scheme, new Headers(headers), VECTOR.body, VECTOR.at.getTime());
    expect(verdict).toEqual({ kind: "verified" });
  }
});

test("the example of GitHub's documentation is verified", () => {
  const headers = new Headers({
    "x-hub-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
  });
  const verdict = verifyWebhook({ kind: "github", secrets: [HEX_SECRET] }, headers, Buffer.from("Hello, World!"), NOW);
  expect(verdict).toEqual({ kind: "verified" });
});

test("every scheme takes what was signed, and nothing in which one byte of the body differs", () => {
  for (const { scheme, headers } of signed()) {
    expect([scheme.kind, verifyWebhook(scheme, new Headers(headers), BODY, NOW).kind]).toEqual([
      scheme.kind,
      "verified",
    ]);
    for (let i = 0; i < BODY.length; i++) {
      const forged = Buffer.from(BODY);
      forged[i] = (forged[i] as number) ^ 1;
      expect(verifyWebhook(scheme, new Headers(headers), forged, NOW)).toEqual({ kind: "refused", reason: "mismatch" });
    }
  }
});

test("no header may differ in one character", () => {
  for (const { scheme, headers } of signed()) {
    for (const [name, value] of Object.entries(headers)) {
      for (let i = 0; i < value.length; i++) {
        // What stands behind Stripe's v1 is another scheme's signature, which is not looked at.
        if (name === "stripe-signature" && i >= value.indexOf(",v0=")) break;
        const forged = value.slice(0, i) + (value[i] === "x" ? "y" : "x") + value.slice(i + 1);
        const verdict = verifyWebhook(scheme, new Headers({ ...headers, [name]: forged }), BODY, NOW);
        expect([scheme.kind, name, i, verdict.kind]).toEqual([scheme.kind, name, i, "refused"]);
      }
    }
  }
});

test("a request without its headers, or with another secret, is refused", () => {
  for (const { scheme, headers } of signed()) {
    for (const name of Object.keys(headers)) {
      const rest = new Headers(headers);
      rest.delete(name);
      expect(verifyWebhook(scheme, rest, BODY, NOW)).toEqual({ kind: "refused", reason: "missing" });
    }
    const other = { ...scheme, secrets: [scheme.kind === "standard" ? newSecret() : "another"] };
    expect(verifyWebhook(other, new Headers(headers), BODY, NOW)).toEqual({ kind: "refused", reason: "mismatch" });
  }
});

test("a signed time more than five minutes away is stale, in either direction", () => {
  for (const { scheme, headers } of signed().filter(
    ({ scheme: { kind } }) => kind === "standard" || kind === "stripe",
  )) {
    for (const offset of [-301_000, 301_000]) {
      const verdict = verifyWebhook(scheme, new Headers(headers), BODY, NOW + offset);
      expect(verdict).toEqual({ kind: "refused", reason: "stale" });
    }
    expect(verifyWebhook(scheme, new Headers(headers), BODY, NOW + 299_000)).toEqual({ kind: "verified" });
  }
});

test("during a rotation either secret is taken, and both sign", () => {
  const [older, newer] = [newSecret(), newSecret()];
  const headers = new Headers({ ...signWebhook(MESSAGE, [newer, older].map(parseSigningKey)) });
  for (const secrets of [[older], [newer], [newer, older]])
    expect(verifyWebhook({ kind: "standard", secrets }, headers, BODY, NOW)).toEqual({ kind: "verified" });
});

test("a key that is none is refused without being repeated", () => {
  for (const text of [
    "",
    "secret",
    "whsec_",
    "whsec_c2hvcnQ=",
    "whsec_!!",
    "whsk_c2hvcnQ=",
    `whsec_${"A".repeat(200)}`,
  ]) {
    const failure = (() => {
      try {
        return parseSigningKey(text);
      } catch (error) {
        return error;
      }
    })();
    expect(failure).toBeInstanceOf(RangeError);
    if (text.length > 8) expect((failure as RangeError).message).not.toContain(text.slice(6));
  }
  expect(() => publicKeyOf(newSecret())).toThrow("it has none");
});
