import type * as v from "valibot";
import { fileForm } from "#actors/orchestrator/config/config.ts";
import type { RevisionPair } from "#actors/orchestrator/config/messages.ts";
import type { DiffAnswer } from "./answers.ts";

/** What a revision changed, as the file would be written: by service, each place with what stood there and what stands. */
export function diffOf({
  revision,
  services,
  before,
}: Omit<v.InferOutput<typeof RevisionPair>, "gateway">): v.InferInput<typeof DiffAnswer> {
  const [old, now] = [fileForm(before?.services ?? {}), fileForm(services)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  return {
    revision,
    before: before?.revision ?? null,
    services: names.flatMap((name) => {
      const fields = fieldsOf(old[name], now[name], "");
      if (fields.length === 0) return [];
      const change = old[name] === undefined ? "create" : now[name] === undefined ? "remove" : "update";
      return [{ name, change, fields }];
    }),
  };
}

function fieldsOf(before: unknown, after: unknown, path: string): { path: string; before: unknown; after: unknown }[] {
  if (Bun.deepEquals(before, after, true)) return [];
  if (!isMap(before) || !isMap(after)) return [{ path, before: before ?? null, after: after ?? null }];
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
  return keys.flatMap((key) => fieldsOf(before[key], after[key], `${path}/${key}`));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
