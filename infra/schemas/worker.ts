/** The worker of {@link import("./validator.ts").SchemaValidator}: may be ended at any moment, and holds nothing. */
import { compileSchema } from "./compile.ts";
import type { Answer, Job } from "./jobs.ts";

declare const self: Worker;

self.onmessage = ({ data: { id, schema, data } }: MessageEvent<Job>) => {
  let answer: Answer;
  try {
    const check = compileSchema(schema);
    answer = { id, kind: "done", misfit: data === undefined ? undefined : check(JSON.parse(data)) };
  } catch (error) {
    answer = { id, kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
  self.postMessage(answer);
};
