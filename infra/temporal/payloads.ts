import { defaultPayloadConverter, type Payload } from "@temporalio/common";

const utf8 = new TextEncoder();

/** Arguments as Temporal carries them: JSON, by the SDK's default converter. */
export function toPayloads(args: readonly unknown[]): { payloads: Payload[] } {
  return { payloads: args.map((arg) => defaultPayloadConverter.toPayload(arg)) };
}

/** Named values, as a memo. */
export function toPayloadMap(values: Readonly<Record<string, unknown>>): Record<string, Payload> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, defaultPayloadConverter.toPayload(value)]),
  );
}

/** Keyword search attributes: their payloads carry the type as metadata. */
export function toKeywords(values: Readonly<Record<string, string>>): Record<string, Payload> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const payload = defaultPayloadConverter.toPayload(value);
      return [name, { ...payload, metadata: { ...payload.metadata, type: utf8.encode("Keyword") } }];
    }),
  );
}
