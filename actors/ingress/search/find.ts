/**
 * One search over everything that has an id.
 *
 * Owns: who is asked, for how long, and in which order the answers are told. Does not own: how a kind of thing is found
 * (the finders beside it).
 *
 * F1 A finder is asked only for a caller whose key is good for what it finds: a search shows nothing that its own route would
 *    not show.
 * F2 A search ends within {@link WITHIN_MS}, whatever does not answer: the answer names what is missing, and why.
 * F3 What it costs is bounded: a finder tells at most {@link HITS_OF_A_KIND} things of a kind, and reads a bounded number.
 */
import * as v from "valibot";
import { within } from "#infra/base/deadline.ts";
import type { Access } from "#infra/http/access.ts";
import { HIT_KINDS, type Hit, HITS_OF_A_KIND, type HitKind } from "./hit.ts";
import type { Subject } from "./subject.ts";

/** How long a finder may take. */
export const WITHIN_MS = 1_500;

/** Finds things of some kinds. */
export interface Finder {
  readonly kinds: readonly HitKind[];
  /** What a key has to be good for. */
  readonly scope: Access;
  /** @param signal aborts when nobody waits for the answer any more. */
  find(subject: Subject, signal: AbortSignal): Promise<readonly Hit[]> | readonly Hit[];
}

/** What was not looked at, and why: the key is not good for it, or it did not answer. */
export const Missing = v.object({
  kind: v.picklist(HIT_KINDS),
  why: v.picklist(["scope", "unavailable"]),
});
export type Missing = v.InferOutput<typeof Missing>;

/** What a search found. */
export interface Found {
  readonly items: Hit[];
  readonly missing: Missing[];
}

/**
 * Asks every finder that `may` be asked, side by side.
 * @param failed is told why a finder has no answer.
 */
export async function findAll(
  subject: Subject,
  finders: readonly Finder[],
  may: (scope: Access) => boolean,
  failed: (kinds: readonly HitKind[], error: unknown) => void,
): Promise<Found> {
  const missing: Missing[] = [];
  const stop = new AbortController();
  const asked = finders.map(async ({ kinds, scope, find }): Promise<readonly Hit[]> => {
    if (!may(scope)) {
      missing.push(...kinds.map((kind) => ({ kind, why: "scope" as const }))); // Search.F1
      return [];
    }
    try {
      const answer = Promise.resolve(find(subject, stop.signal));
      return await within(WITHIN_MS, answer, () => new Error(`no answer within ${WITHIN_MS} ms`)); // Search.F2
    } catch (error) {
      failed(kinds, error);
      missing.push(...kinds.map((kind) => ({ kind, why: "unavailable" as const })));
      return [];
    }
  });
  const found = (await Promise.all(asked)).flat();
  stop.abort();
  return {
    items: HIT_KINDS.flatMap((kind) => found.filter((one) => one.kind === kind).slice(0, HITS_OF_A_KIND)), // Search.F3
    missing: missing.toSorted((a, b) => HIT_KINDS.indexOf(a.kind) - HIT_KINDS.indexOf(b.kind)),
  };
}
