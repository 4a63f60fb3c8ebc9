/** The worker of {@link import("./validator.ts").SchemaValidator}: may be ended at any moment, and holds nothing. */
import { parseExact } from "#infra/json/exact.ts";
import { compileSchema } from "./compile.ts";
import { readSchema } from "./document.ts";
import type { Answer, Job } from "./jobs.ts";
import { TooMuchWorkError } from "./run.ts";

declare const self: Worker;

self.onmessage = ({ data: job }: MessageEvent<Job>) => {
  self.postMessage(answerTo(job));
};

function answerTo({ id, schema, data }: Job): Answer {
  try {
    const document = readSchema(parseExact(schema), schema.length);
    const check = "subschemas" in document ? compileSchema(document) : document;
    if (typeof check !== "function") return { id, kind: "refused", faults: check };
    return { id, kind: "done", misfits: data === undefined ? [] : check(parseExact(data), Infinity) };
  } catch (error) {
    if (error instanceof TooMuchWorkError) return { id, kind: "failed", message: "is nested too deeply to be checked" };
    return { id, kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}
