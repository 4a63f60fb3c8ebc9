import type { AnyActorType, JournalEntry, Troupe } from "#runtime";
import type { Finder } from "./find.ts";
import { type Hit, hit, HITS_OF_A_KIND } from "./hit.ts";
import { type Place, placesOf } from "./places.ts";

/** Events read of one journal; the newest of them are told. */
const JOURNAL = 100;

/** Finds actors by their key, or by `type/key`, whatever their type. */
export function actorFinder(troupe: () => Troupe, types: readonly AnyActorType[]): Finder {
  return {
    kinds: ["actor"],
    scope: "admin",
    async find(subject) {
      return (await Promise.all(placesOf(types, subject).map((place) => inspected(troupe(), place)))).flat();
    },
  };
}

/** Finds the events of journaled actors by the key of the actor. */
export function eventFinder(troupe: () => Troupe, types: readonly AnyActorType[]): Finder {
  const journaled = types.filter(({ options }) => options.journal !== undefined);
  return {
    kinds: ["event"],
    scope: "admin",
    async find(subject) {
      const read = placesOf(journaled, subject).map(async (place) =>
        // Newest first, also those of one millisecond.
        (await troupe().journal(place.type, place.key, { limit: JOURNAL }))
          .map((entry) => eventHit(place, entry))
          .toReversed(),
      );
      return (await Promise.all(read))
        .flat()
        .toSorted((a, b) => (b.at ?? "").localeCompare(a.at ?? ""))
        .slice(0, HITS_OF_A_KIND);
    },
  };
}

async function inspected(troupe: Troupe, { type: { type }, key }: Place): Promise<readonly Hit[]> {
  const seen = await troupe.inspect(type, key);
  if (!seen.exists && seen.paused === undefined && seen.timers.length === 0) return [];
  const broken = seen.turns.find(({ outcome }) => outcome !== "ok");
  const address = `${encodeURIComponent(type)}/${encodeURIComponent(key)}`;
  return [
    hit({
      ...{ kind: "actor", id: `${type}/${key}`, failed: seen.paused !== undefined || broken !== undefined },
      status: seen.paused === undefined ? (seen.active ? "loaded" : "at rest") : "paused",
      detail:
        seen.paused?.reason ??
        (broken === undefined ? `version ${seen.version}` : `${broken.message} ended ${broken.outcome}`),
      at: iso(seen.paused?.since ?? seen.turns[0]?.at),
      page: `/console/actors/${address}`,
      api: `/actors/${address}`,
    }),
  ];
}

function eventHit({ type: { type }, key }: Place, { id, type: name, at, data }: JournalEntry): Hit {
  const reason = (data as { readonly reason?: unknown } | null)?.reason;
  const address = `${encodeURIComponent(type)}/${encodeURIComponent(key)}`;
  return hit({
    ...{ kind: "event", id, title: name, at: iso(at) },
    detail: typeof reason === "string" ? reason.replaceAll("_", " ") : `of ${type}/${key}`,
    page: `/console/actors/${address}`,
  });
}

function iso(at: number | undefined): string | null {
  return at === undefined ? null : new Date(at).toISOString();
}
