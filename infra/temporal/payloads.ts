import { defaultPayloadConverter, type Payload, type PayloadCodec } from "@temporalio/common";

const utf8 = new TextEncoder();

/** Arguments as Temporal carries them: JSON, by the SDK's default converter, sealed where there is a codec. */
export async function toPayloads(
  args: readonly unknown[],
  codec: PayloadCodec | undefined,
): Promise<{ payloads: Payload[] }> {
  const payloads = args.map((arg) => defaultPayloadConverter.toPayload(arg));
  return { payloads: codec === undefined ? payloads : await codec.encode(payloads) };
}

/** Named values, as a memo. */
export async function toPayloadMap(
  values: Readonly<Record<string, unknown>>,
  codec: PayloadCodec | undefined,
): Promise<Record<string, Payload>> {
  const { payloads } = await toPayloads(Object.values(values), codec);
  return Object.fromEntries(Object.keys(values).map((name, i) => [name, payloads[i] as Payload]));
}

/** The header that carries a trace to a workflow. Never sealed, as no header is. */
export function headerOf({ traceparent }: { readonly traceparent: string | undefined }): {
  readonly header?: { readonly fields: Record<string, Payload> };
} {
  if (traceparent === undefined) return {};
  return { header: { fields: { traceparent: defaultPayloadConverter.toPayload(traceparent) } } };
}

/** Keyword search attributes: their payloads carry the type as metadata. Never sealed, as the server compares them. */
export function toKeywords(values: Readonly<Record<string, string>>): Record<string, Payload> {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      const payload = defaultPayloadConverter.toPayload(value);
      return [name, { ...payload, metadata: { ...payload.metadata, type: utf8.encode("Keyword") } }];
    }),
  );
}
