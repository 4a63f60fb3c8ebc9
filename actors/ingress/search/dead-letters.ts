import type { AnyActorType, StoredDeadLetter, Troupe } from "#runtime";
import type { Finder } from "./find.ts";
import { type Hit, hit, HITS_OF_A_KIND } from "./hit.ts";
import { placesOf } from "./places.ts";

/**
 * Finds dead letters by their id, by the type of their event, and by the actor they came from or were for.
 * @param sinks where events go: what one of them refused is kept under its name and the actor's key.
 * @param types of actors, whose messages may have failed.
 */
export function deadLetterFinder(
  troupe: () => Troupe,
  sinks: readonly string[],
  types: readonly AnyActorType[],
): Finder {
  return {
    kinds: ["dead_letter"],
    scope: "admin",
    async find(subject) {
      const { deadLetters } = troupe();
      const counts = await deadLetters.counts();
      if ([...counts.values()].every((count) => count === 0)) return []; // what is usual costs next to nothing
      const { text, keys } = subject;
      const addresses = placesOf(types, subject).map(({ type: { type }, key }) => `${type}/${key}`);
      const refused = keys.flatMap((key) => sinks.map((sink) => `${sink}:${key}`));
      const filters = [{ type: text }, ...new Set([text, ...addresses, ...refused])];
      const [byId, ...lists] = await Promise.all([
        deadLetters.get(text),
        ...filters.map(async (filter) => {
          const wanted = typeof filter === "string" ? { key: filter } : filter;
          return (await deadLetters.list({ ...wanted, limit: HITS_OF_A_KIND })).items;
        }),
      ]);
      const found = new Map([byId ?? [], ...lists].flat().map((letter) => [letter.id, letter]));
      return [...found.values()].map(letterHit);
    },
  };
}

function letterHit({ id, reason, detail, type, target, at }: StoredDeadLetter): Hit {
  return hit({
    ...{ kind: "dead_letter", id, status: reason, detail, failed: true, at: new Date(at).toISOString() },
    title: `${type ?? "something"} for ${target}`,
    page: `/console/dead-letters/${encodeURIComponent(id)}`,
    api: `/dead-letters/${encodeURIComponent(id)}`,
  });
}
