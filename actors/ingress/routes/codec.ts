import type { Payload, PayloadCodec } from "@temporalio/common";
import * as v from "valibot";
import { type Endpoint, endpoint, endpoints } from "#infra/http/endpoint.ts";
import { Problem } from "#infra/http/problem.ts";

/** Bytes of one request's payloads come within the limit of bodies; this bounds the work of many small ones. */
const MAX_PAYLOADS = 2_000;

const Base64 = v.pipe(v.string(), v.base64("must be base64"));
const Payloads = v.strictObject({
  payloads: v.pipe(
    v.array(v.strictObject({ metadata: v.optional(v.record(v.string(), Base64)), data: v.optional(Base64) })),
    v.maxLength(MAX_PAYLOADS),
  ),
});
type Payloads = v.InferOutput<typeof Payloads>;

/** What {@link codecRoutes} needs. */
export interface CodecDeps {
  /** The codec of client and workers. @throws {Problem} 503 where there is no Temporal. */
  readonly codec: () => PayloadCodec;
}

/**
 * A codec server of Temporal's protocol: its UI and its command line send payloads here, and show what comes back.
 * `PayloadUnreadableError` becomes 422: which key is missing may be said to who may see everything.
 */
export function codecRoutes({ codec }: CodecDeps) {
  return endpoints("codec", [
    codecEndpoint("decode", "Open payloads of Temporal", (payloads) => codec().decode(payloads)),
    codecEndpoint("encode", "Seal payloads for Temporal", (payloads) => codec().encode(payloads)),
  ]);
}

function codecEndpoint(
  verb: "decode" | "encode",
  summary: string,
  work: (payloads: Payload[]) => Promise<Payload[]>,
): Endpoint {
  return endpoint(
    {
      tag: "Workflows",
      noun: "codec",
      scope: "admin",
      method: "POST",
      path: `/codec/${verb}`,
      summary,
      description:
        "The protocol of Temporal's codec servers: payloads as protobuf JSON, bytes in base64. What is not sealed comes back as it is. Pages of the Temporal UI may read the answer.",
      body: Payloads,
      answer: { status: 200, description: "As many payloads, in the same order", schema: Payloads },
    },
    async ({ body }) => {
      try {
        return { payloads: (await work(body.payloads.map(payloadOf))).map(shown) };
      } catch (error) {
        if (!(error instanceof Error) || error.name !== "PayloadUnreadableError") throw error;
        throw new Problem(422, "codec.unreadable", error.message);
      }
    },
  );
}

function payloadOf({ metadata = {}, data }: Payloads["payloads"][number]): Payload {
  const named = Object.entries(metadata).map(([name, value]) => [name, bytes(value)]);
  return { metadata: Object.fromEntries(named) as Record<string, Uint8Array>, ...(data && { data: bytes(data) }) };
}

function shown({ metadata, data }: Payload): Payloads["payloads"][number] {
  const named = Object.entries(metadata ?? {}).map(([name, value]) => [name, text(value)]);
  return { metadata: Object.fromEntries(named) as Record<string, string>, ...(data && { data: text(data) }) };
}

const bytes = (base64: string): Uint8Array => Uint8Array.from(Buffer.from(base64, "base64"));
const text = (value: Uint8Array): string => Buffer.from(value).toString("base64");
