import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Certificates, makeCertificates } from "#infra/testing/certificates.ts";
import { securityOf } from "./security.ts";
import { describeSettings } from "./settings-sources.ts";
import { readSettings, SettingsError } from "./settings.ts";

let certificates: Certificates;
beforeAll(async () => {
  certificates = await makeCertificates();
}, 60_000);
afterAll(() => certificates[Symbol.asyncDispose]());

test("securityOf() encrypts nothing by itself", () => {
  expect(securityOf(readSettings({}))).toEqual({
    tls: {},
    kafka: { tls: undefined, sasl: undefined },
    temporal: { tls: undefined, serverName: undefined, apiKey: undefined },
  });
});

test("securityOf() reads the certificates for every server that is spoken to by TLS", () => {
  const { ca, client } = certificates;
  const { tls, kafka, temporal } = securityOf(
    readSettings({
      ...{ TLS_CA_FILE: ca.certFile, TLS_CERT_FILE: client.certFile, TLS_KEY_FILE: client.keyFile },
      ...{ KAFKA_TLS: "on", TEMPORAL_TLS: "on", TEMPORAL_API_KEY: "k", TEMPORAL_TLS_SERVER_NAME: "t.example" },
      ...{ KAFKA_SASL_MECHANISM: "SCRAM-SHA-512", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "p" },
    }),
  );
  expect(tls).toEqual({ ca: ca.cert, cert: client.cert, key: client.key });
  expect(kafka).toEqual({ tls, sasl: { mechanism: "SCRAM-SHA-512", username: "u", password: "p" } });
  expect(temporal).toEqual({ tls, serverName: "t.example", apiKey: "k" });
});

test("securityOf() says which file is none", () => {
  const settings = readSettings({ TLS_CA_FILE: "/nowhere/ca.pem" });
  expect(() => securityOf(settings)).toThrow(SettingsError);
  expect(() => securityOf(settings)).toThrow("Cannot read the file /nowhere/ca.pem");
  expect(() => securityOf(readSettings({ TLS_CA_FILE: certificates.ca.keyFile }))).toThrow("expected PEM");
});

test("describeSettings() shows no password of any address, and no secret", () => {
  const settings = readSettings({
    DATABASE_URL: "postgres://u:s3cret@h:5432/d?sslmode=verify-full&sslkey=/s3.pem",
    NATS_URL: "nats://u:s3,cr@et@a:4222,nats://u:s3cret@b:4222",
    RABBITMQ_URL: "amqps://u:s3cret@h/v",
    REDIS_URL: "rediss://:s3cret@h:6379",
    TEMPORAL_API_KEY: "s3cret",
    ...{ KAFKA_SASL_MECHANISM: "PLAIN", KAFKA_SASL_USERNAME: "u", KAFKA_SASL_PASSWORD: "s3cret" },
  });
  const shown = describeSettings({ settings, originOf: () => "environment" });
  expect(JSON.stringify(shown)).not.toContain("s3");
  const valueOf = (name: string): string | undefined => shown.find((one) => one.name === name)?.value;
  expect(valueOf("NATS_URL")).toBe("nats://a:4222,nats://b:4222");
  expect(valueOf("KAFKA_SASL_PASSWORD")).toBe("set");
});
