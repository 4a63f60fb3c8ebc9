/** One gRPC call without a client library: a readiness check should not load one. */
import { connect, constants } from "node:http2";

const DEADLINE_MS = 3_000;

/** Calls a unary method over plain HTTP/2 and answers the response message; throws when the status is not OK or after 3 s. */
export function callUnary(address: string, method: string, message: Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const session = connect(`http://${address}`);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      session.destroy();
      reject(error);
    };
    const timer = setTimeout(() => fail(new Error(`${method} did not answer within ${DEADLINE_MS} ms`)), DEADLINE_MS);
    session.once("error", fail);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: "POST",
      [constants.HTTP2_HEADER_PATH]: method,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
      te: "trailers",
    });
    const chunks: Buffer[] = [];
    let status: unknown;
    let reason: unknown;
    // The status comes in the trailers, or in the headers when there is no body.
    const note = (headers: Record<string, unknown>): void => {
      status = headers["grpc-status"] ?? status;
      reason = headers["grpc-message"] ?? reason;
    };
    stream.on("response", note);
    stream.on("trailers", note);
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.once("error", fail);
    stream.once("end", () => {
      clearTimeout(timer);
      session.close();
      if (String(status) === "0") resolve(Buffer.concat(chunks).subarray(5));
      else reject(new Error(`${method} answered status ${String(status)}: ${String(reason ?? "no reason given")}`));
    });
    // A gRPC frame: not compressed, length, message.
    const frame = Buffer.alloc(5 + message.length);
    frame.writeUInt32BE(message.length, 1);
    frame.set(message, 5);
    stream.end(frame);
  });
}
